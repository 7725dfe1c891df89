/**
 * Lua scripts of `lua/NAME-K.lua`, K being the number of keys (n: as many as are given). A script is sent by its digest; a server
 * that does not know it (restart, failover, SCRIPT FLUSH) is sent the text once and knows it again.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Cluster } from 'ioredis';
import { Failure } from '../domain/failure.ts';
import { type RedisClient, toRedisFailure } from './connection/connection.ts';

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
  const text = readLua(name).replace(/^--- @include (\S+)$/gm, (_line, part) => readLua(part));
  const digest = createHash('sha1').update(text).digest('hex');
  return { text, digest };
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
  const replies = await sendAll(redis, calls, (call) => [script.digest, ...tail(call)], {
    command: 'evalsha',
    ...options,
  });
  const unknown = replies.flatMap((reply, index) => (isUnknownScript(reply) ? [index] : []));
  if (unknown.length === 0) return replies;
  const again = await sendAll(
    redis,
    unknown.map((index) => calls[index] as ScriptCall),
    (call) => [script.text, ...tail(call)],
    { command: 'eval', ...options },
  );
  unknown.forEach((index, i) => {
    replies[index] = again[i];
  });
  return replies;
}

function tail({ keys, args }: ScriptCall): ScriptArgument[] {
  return [keys.length, ...keys, ...args];
}

function isUnknownScript(reply: unknown): boolean {
  return reply instanceof Failure && reply.code === 'REDIS_NOSCRIPT';
}

type SendOptions = ScriptOptions & { readonly command: 'eval' | 'evalsha' };

async function sendAll(
  redis: RedisClient,
  calls: readonly ScriptCall[],
  toArguments: (call: ScriptCall) => ScriptArgument[],
  { command, buffers = false }: SendOptions,
): Promise<unknown[]> {
  const method = buffers ? 'callBuffer' : 'call';
  if (redis instanceof Cluster || calls.length === 1) {
    return await Promise.all(
      calls.map((call) => redis[method](command, toArguments(call)).catch(toRedisFailure)),
    );
  }
  const pipeline = redis.pipeline();
  for (const call of calls) pipeline[method](command, toArguments(call));
  const results = await pipeline.exec().catch((error: unknown) => {
    throw toRedisFailure(error);
  });
  return (results ?? []).map(([error, value]) => (error === null ? value : toRedisFailure(error)));
}
