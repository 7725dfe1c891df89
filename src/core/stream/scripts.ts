/**
 * Lua scripts of `lua/NAME-K.lua`, K being the number of keys (n: as many as are given). A script is sent by its digest; a
 * server that does not know the digest (restart, failover, SCRIPT FLUSH) is sent the text once.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Cluster } from 'ioredis';
import { type RedisClient, throwRedisFailure, toRedisFailure } from '../../kit/redis/connection.ts';
import { isStreamAtFault, unexpected } from '../../kit/redis/outage.ts';
import { Failure } from '../../kit/words/failure.ts';

export type Script = {
  readonly text: string;
  readonly digest: string;
};

export type ScriptArgument = string | number | Buffer;
export type ScriptCall = {
  readonly keys: readonly string[];
  readonly args: readonly ScriptArgument[];
};

export type ScriptOptions = {
  /** Bulk replies as Buffers, for binary values. */
  readonly buffers?: boolean;
};

/** Reads one file of the `lua` folder, named as `settle-4`; a line `--- @include NAME` stands for that file. */
export function loadScript(name: string): Script {
  return toScript(readLua(name).replace(/^--- @include (\S+)$/gm, (_line, part) => readLua(part)));
}

function toScript(text: string): Script {
  return { text, digest: createHash('sha1').update(text).digest('hex') };
}

function readLua(name: string): string {
  return readFileSync(new URL(`./lua/${name}.lua`, import.meta.url), 'utf8');
}

/** Runs a script once. Throws a Failure. */
export async function runScript(
  redis: RedisClient,
  script: Script,
  call: ScriptCall,
  options: ScriptOptions = {},
): Promise<unknown> {
  const [reply] = await runScripts(redis, script, [call], options);
  if (reply instanceof Failure) throw reply;
  return reply;
}

/**
 * Runs a script for each call, in one round trip on a single node, each call on its own node of a cluster.
 * Returns for each call the script's reply or its Failure.
 */
export async function runScripts(
  redis: RedisClient,
  script: Script,
  calls: readonly ScriptCall[],
  options: ScriptOptions = {},
): Promise<unknown[]> {
  const replies = await sendAll(redis, ['evalsha', script.digest], calls, options);
  const unknown = replies.flatMap((reply, index) => (isUnknownScript(reply) ? [index] : []));
  if (unknown.length === 0) return replies;
  const repeated = unknown.map((index) => calls[index] as ScriptCall);
  const again = await sendAll(redis, ['eval', script.text], repeated, options);
  unknown.forEach((index, i) => {
    replies[index] = again[i];
  });
  return replies;
}

/** Runs a call a stream, as runScripts does: returns Failures of streams that are at fault by themselves, and throws any other. */
export async function runOnStreams(
  redis: RedisClient,
  script: Script,
  calls: readonly ScriptCall[],
): Promise<unknown[]> {
  return throwCommon(await runScripts(redis, script, calls));
}

function throwCommon(replies: unknown[]): unknown[] {
  const failed = replies.find((reply) => reply instanceof Failure && !isStreamAtFault(reply));
  if (failed !== undefined) throw failed;
  return replies;
}

/** Streams that one call asks. More: other clients of the server wait longer; fewer: idle processes send more calls. */
export const STREAMS_AT_ONCE = 100;

/** A script that one call runs for each of many streams. */
export type ScriptForStreams = { readonly each: Script; readonly all: Script };

/** Loads a script for `runForStreams`; each stream has K keys. */
export function loadForStreams(name: string): ScriptForStreams {
  const each = loadScript(name);
  return { each, all: toScript(readLua('for-streams').replace('--- @body', () => each.text)) };
}

/**
 * Runs a script for each stream with the same arguments, many streams a call: an idle worker of 100 streams makes 10 calls a second in
 * place of 850. Once the script has written for one stream, a full Redis accepts the writes for the next streams, too.
 * Returns and throws as runOnStreams does.
 */
export async function runForStreams(
  redis: RedisClient,
  { each, all }: ScriptForStreams,
  streams: readonly (readonly string[])[],
  args: readonly ScriptArgument[],
): Promise<unknown[]> {
  const [first] = streams;
  if (redis instanceof Cluster || first === undefined) {
    const calls = streams.map((keys) => ({ keys, args }));
    return await runOnStreams(redis, each, calls);
  }
  const calls = Array.from({ length: Math.ceil(streams.length / STREAMS_AT_ONCE) }, (_, nth) => ({
    keys: streams.slice(nth * STREAMS_AT_ONCE, (nth + 1) * STREAMS_AT_ONCE).flat(),
    args: [first.length, ...args],
  }));
  const replies = (await runScripts(redis, all, calls)).flatMap((reply) => {
    if (reply instanceof Failure) throw reply;
    if (!Array.isArray(reply)) throw unexpected('for-streams');
    return reply.map((own: unknown) => (own instanceof Error ? toRedisFailure(own) : own));
  });
  return throwCommon(replies);
}

function isUnknownScript(reply: unknown): boolean {
  return reply instanceof Failure && reply.code === 'REDIS_NOSCRIPT';
}

async function sendAll(
  redis: RedisClient,
  [command, script]: readonly ['evalsha' | 'eval', string],
  calls: readonly ScriptCall[],
  { buffers = false }: ScriptOptions,
): Promise<unknown[]> {
  const method = buffers ? 'callBuffer' : 'call';
  const all = calls.map(({ keys, args }) => [script, keys.length, ...keys, ...args]);
  if (redis instanceof Cluster || all.length === 1) {
    return await Promise.all(all.map((call) => redis[method](command, call).catch(toRedisFailure)));
  }
  const pipeline = redis.pipeline();
  for (const call of all) pipeline[method](command, call);
  const results = await pipeline.exec().catch(throwRedisFailure);
  return (results ?? []).map(([error, value]) => (error === null ? value : toRedisFailure(error)));
}
