/**
 * The one consumer group of every stream, and the life of an entry in it:
 *
 *              XADD                XREADGROUP >               settle
 *   producer ────────▶ undelivered ───────────▶ pending of a ────────▶ acknowledged and deleted
 *      ▲                                     ┌─▶ consumer  ──┐ settle
 *      │                                     │   │   │       └────────▶ dead letter
 *      │  promote             claim, when    └───┘   │ settle
 *      └───────── retries ◀── left alone             ▼
 *                    ▲                           due-time set
 *                    └───────────────────────────────┘
 *
 * An entry of a version that its worker does not read stays pending, and no heartbeat holds it: a worker that reads it claims it.
 * What nobody has claimed for UNREAD_MS (status/heads.ts) leaves the stream, and is appended from its open row.
 *
 * Groups begin at 0, so entries appended before the group existed are read; only acknowledged entries are
 * deleted. An entry of many leaves at once; what failed of it goes on as entries of one. One that crashed its workers
 * is divided into entries of one before it is worked on a third time.
 */
import { type RedisClient, toRedisFailure } from '../../../kit/redis/connection.ts';
import { isStreamAtFault, unexpected } from '../../../kit/redis/outage.ts';
import { Failure } from '../../../kit/words/failure.ts';
import { GROUP, type StreamKeys } from '../keys.ts';
import { loadForStreams, loadScript, runForStreams, runScript, runScripts } from '../scripts.ts';
import { type StreamEntry, toEntry } from './read-group.ts';

const ensureScript = loadScript('ensure-group-1');
const staleScript = loadForStreams('has-stale-1');
const claimScript = loadScript('claim-stale-1');
const heartbeatScript = loadScript('heartbeat-1');
const removeScript = loadScript('remove-consumer-1');

/**
 * Creates the group of each stream where it is missing; null where it exists now, else the error: a Redis at
 * its memory limit creates none for an empty stream.
 */
export async function ensureGroups(
  redis: RedisClient,
  streams: readonly string[],
): Promise<(Failure | null)[]> {
  const calls = streams.map((stream) => ({ keys: [stream], args: [GROUP] }));
  const replies = await runScripts(redis, ensureScript, calls).catch((error: unknown) =>
    streams.map(() => toRedisFailure(error)),
  );
  return replies.map((reply) => (reply instanceof Failure ? reply : null));
}

/** True when a read failed because a stream or its group has vanished (FLUSHALL, XGROUP DESTROY, DEL). */
export function isGroupMissing(failure: Failure): boolean {
  return failure.code === 'REDIS_NOGROUP' || failure.code === 'REDIS_UNBLOCKED';
}

export type ClaimOptions = {
  readonly stream: StreamKeys;
  readonly consumer: string;
  readonly idleMs: number;
  /** Where the last claim of this stream ended; CLAIM_START at first. */
  readonly cursor: string;
  /** Most transactions; the first entry may exceed it. */
  readonly transactionsMax: number;
};

export type Claimed = {
  readonly cursor: string;
  readonly entries: readonly StreamEntry[];
  /** Entries of several transactions that were delivered often: to be divided, not processed. */
  readonly suspects: readonly StreamEntry[];
};

/** Cursor at the start of a claim, and after every pending entry was seen. */
export const CLAIM_START = '-';

/** Deliveries after which an entry is claimed alone, so that it can crash only itself. */
export const DELIVERIES_TOGETHER = 3;
/** Deliveries after which an entry of several transactions is divided. */
export const DELIVERIES_WHOLE = 2;

/** Finds streams that have stale entries or did not answer. Throws a Failure that no single stream caused. */
export async function findStale(
  redis: RedisClient,
  streams: readonly StreamKeys[],
  idleMs: number,
): Promise<StreamKeys[]> {
  const keys = streams.map(({ transactions }) => [transactions]);
  const replies = await runForStreams(redis, staleScript, keys, [GROUP, idleMs]);
  return streams.filter((_, index) => replies[index] !== 0);
}

/**
 * Claims stale entries, as many as can be processed together. Throws a Failure.
 * @param version of the entries that this process reads
 */
export async function claimStale(
  redis: RedisClient,
  version: string,
  claim: ClaimOptions,
): Promise<Claimed> {
  const { stream, consumer, idleMs, cursor, transactionsMax } = claim;
  const bounds = [transactionsMax, DELIVERIES_TOGETHER, DELIVERIES_WHOLE];
  const args = [GROUP, consumer, idleMs, cursor, ...bounds, version];
  const call = { keys: [stream.transactions], args };
  const reply = await runScript(redis, claimScript, call, { buffers: true });
  return toClaimed(reply, { stream, consumer });
}

/** Resets the idle time of entries that are still ours; returns their number. */
export async function heartbeat(
  redis: RedisClient,
  stream: string,
  consumer: string,
  ids: readonly string[],
): Promise<number> {
  const call = { keys: [stream], args: [GROUP, consumer, ...ids] };
  return Number(await runScript(redis, heartbeatScript, call));
}

/** Removes the consumer from each stream where it has nothing pending. */
export async function removeConsumer(
  redis: RedisClient,
  streams: readonly string[],
  consumer: string,
): Promise<void> {
  // A missing stream or group has no consumer to remove.
  const calls = streams.map((stream) => ({ keys: [stream], args: [GROUP, consumer] }));
  await runScripts(redis, removeScript, calls);
}

/** Removes consumers of dead processes: idle for longer than `idleMs`, nothing pending. */
export async function removeDeadConsumers(
  redis: RedisClient,
  stream: string,
  idleMs: number,
): Promise<void> {
  const consumers = await listConsumers(redis, stream);
  const idle = consumers.filter((consumer) => consumer.pending === 0 && consumer.idleMs > idleMs);
  const calls = idle.map(({ name }) => ({ keys: [stream], args: [GROUP, name] }));
  await runScripts(redis, removeScript, calls);
}

/** Reads the reply of claim-stale: `[cursor, [id, deliveries, fields, 1 for a suspect, ...]]`. */
function toClaimed(reply: unknown, owner: Pick<StreamEntry, 'stream' | 'consumer'>): Claimed {
  if (!Array.isArray(reply) || !Buffer.isBuffer(reply[0]) || !Array.isArray(reply[1])) {
    throw unexpected('claim-stale');
  }
  const flat: unknown[] = reply[1];
  const claimed = { entries: [] as StreamEntry[], suspects: [] as StreamEntry[] };
  for (let i = 0; i + 3 < flat.length; i += 4) {
    const entry = toEntry(String(flat[i]), flat[i + 2], owner, Number(flat[i + 1]));
    if (flat[i + 3] !== 1) claimed.entries.push(entry);
    // An upper bound on how often it crashed its workers: lost connections count as deliveries, too.
    else claimed.suspects.push({ ...entry, deliveries: DELIVERIES_WHOLE });
  }
  return { cursor: String(reply[0]), ...claimed };
}

/** The consumers of a stream. None if the stream or the group is missing, or the key is no stream. */
export async function listConsumers(redis: RedisClient, stream: string) {
  const reply = await redis.xinfo('CONSUMERS', stream, GROUP).catch(async (error: unknown) => {
    const failure = toRedisFailure(error);
    if (isGroupMissing(failure) || isStreamAtFault(failure)) return [];
    if ((await redis.exists(stream).catch(() => 1)) === 0) return [];
    throw failure;
  });
  if (!Array.isArray(reply)) throw unexpected('XINFO CONSUMERS');
  return reply.map((row: unknown) => {
    const fields = toFields(row);
    return {
      name: String(fields.get('name')),
      pending: Number(fields.get('pending')),
      idleMs: Number(fields.get('idle')),
    };
  });
}

/** A flat reply `[name, value, ...]` as a map. */
function toFields(reply: unknown): Map<string, unknown> {
  const fields = new Map<string, unknown>();
  if (!Array.isArray(reply)) return fields;
  for (let i = 0; i + 1 < reply.length; i += 2) fields.set(String(reply[i]), reply[i + 1]);
  return fields;
}
