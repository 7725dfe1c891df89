/**
 * Hands committed transactions to the streams. It never fails a request: what cannot be appended is
 * counted and stays in its open batch, which the reconciler appends later, in order. After a failure of
 * Redis one caller a second tries again; the others skip the attempt instead of waiting for its timeout.
 *
 * A large batch whose streams are full waits a moment for room: its client then sends as fast as workers score, and nothing has to be
 * read from Postgres again. A stream in which nothing moves is not waited for.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { Failure, isUnavailable } from '../domain/failure.ts';
import type { Guards } from '../runtime/guards.ts';
import { isStreamAtFault } from '../stream/connection/outage.ts';
import type { EntryPayload } from '../stream/entries/entry.ts';
import type { Producer } from '../stream/entries/producer.ts';

/**
 * Resolves to the entries that are not known to be in their streams: usually none.
 * @param size whether they are a large batch, which waits for room
 */
export type TryAppend = (
  payloads: readonly EntryPayload[],
  size?: 'small' | 'large',
) => Promise<readonly EntryPayload[]>;

type Breakers = Pick<Guards, 'redis' | 'streamsOf'>;

const COOL_DOWN_MS = 1000;
/** Time in which workers make room for a thousand transactions, with one to spare; a client sees it as latency. */
const ROOM_WAIT_MS_MAX = 250;
const ROOM_POLL_MS = 20;
/** Requests that wait at once: a fraction of those in flight, so that others find a place. */
const ROOM_WAITERS_MAX = 8;

/** @param nowMs monotonic clock */
export function createTryAppend(
  producer: Producer,
  breakers: Breakers,
  failures: { inc: (labels: { reason: string }) => void },
  nowMs: () => number = () => performance.now(),
): TryAppend {
  let retryAtMs = Number.NEGATIVE_INFINITY;
  let isDown = false;
  const waitForRoom = createWaitForRoom(producer, breakers);
  return async (payloads, size = 'small') => {
    if (isDown && nowMs() < retryAtMs) {
      failures.inc({ reason: 'cool-down' });
      return payloads;
    }
    // The next caller waits its turn even while this one still tries.
    if (isDown) retryAtMs = nowMs() + COOL_DOWN_MS;
    try {
      const refused = await appendByCorridor(producer, breakers, payloads);
      isDown = false;
      const left = size === 'large' ? await waitForRoom(payloads, refused) : refused;
      if (left.length > 0) failures.inc({ reason: 'full' });
      return left;
    } catch (error) {
      if (!isUnavailable(error)) throw error;
      isDown = true;
      retryAtMs = nowMs() + COOL_DOWN_MS;
      failures.inc({ reason: error instanceof Failure ? error.code : 'unavailable' });
      return payloads;
    }
  };
}

type WaitForRoom = (
  payloads: readonly EntryPayload[],
  refused: readonly EntryPayload[],
) => Promise<readonly EntryPayload[]>;

/** Appends what full streams refused once these have room again, and returns what is left. */
function createWaitForRoom(producer: Producer, breakers: Breakers): WaitForRoom {
  let waiters = 0;
  /** Corridors whose streams had no room at all for as long as a request waits. */
  const stuck = new Set<string>();
  return async (payloads, refused) => {
    const full = new Set(refused.map(corridorOf));
    for (const corridor of new Set(payloads.map(corridorOf))) {
      if (!full.has(corridor)) stuck.delete(corridor);
    }
    const awaited = refused.filter((payload) => !stuck.has(corridorOf(payload)));
    if (awaited.length === 0 || waiters === ROOM_WAITERS_MAX) return refused;
    const passed = refused.filter((payload) => stuck.has(corridorOf(payload)));
    waiters++;
    try {
      const left = await appendOnceFree(producer, breakers, awaited);
      if (left.length === awaited.length) for (const corridor of full) stuck.add(corridor);
      return [...passed, ...left];
    } finally {
      waiters--;
    }
  };
}

async function appendOnceFree(
  producer: Producer,
  breakers: Breakers,
  refused: readonly EntryPayload[],
): Promise<readonly EntryPayload[]> {
  const endMs = performance.now() + ROOM_WAIT_MS_MAX;
  let left = refused;
  try {
    while (left.length > 0 && performance.now() < endMs) {
      await delay(ROOM_POLL_MS);
      const asked = left;
      const hasRoom = await breakers.redis.run(() => producer.hasRoom(asked));
      if (hasRoom) left = await appendByCorridor(producer, breakers, asked);
    }
  } catch (error) {
    if (!isUnavailable(error)) throw error;
  }
  return left;
}

const corridorOf = ({ transaction }: EntryPayload) => transaction.corridor;

/**
 * Returns what was not appended. Where the streams of a corridor cannot be written, its entries are left to the
 * reconciler and other corridors go on; only failures of Redis itself are thrown.
 */
async function appendByCorridor(
  producer: Producer,
  breakers: Breakers,
  payloads: readonly EntryPayload[],
): Promise<EntryPayload[]> {
  const groups = Map.groupBy(payloads, ({ transaction }) => transaction.corridor);
  const left = await Promise.all(
    [...groups].map(([corridor, group]) => appendGroup(producer, breakers, corridor, group)),
  );
  return left.flat();
}

async function appendGroup(
  producer: Producer,
  { redis, streamsOf }: Breakers,
  corridor: string,
  group: readonly EntryPayload[],
): Promise<readonly EntryPayload[]> {
  try {
    return (await streamsOf(corridor).run(() => redis.run(() => producer.append(group)))).left;
  } catch (error) {
    const isRefused = error instanceof Failure && error.code === 'BREAKER_OPEN';
    if (isStreamAtFault(error) || (isRefused && redis.state() === 'closed')) return group;
    throw error;
  }
}
