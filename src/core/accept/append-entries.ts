/**
 * Hands committed transactions to the streams. It never fails a request: what cannot be appended is
 * counted and stays in its open batch, which the reconciler appends later, in order. After a failure of
 * Redis one caller a second tries again; the others skip the attempt instead of waiting for its timeout.
 */
import type { Guards } from '../../kit/breakers/guards.ts';
import { isStreamAtFault } from '../../kit/redis/outage.ts';
import { Failure, isUnavailable } from '../../kit/words/failure.ts';
import type { EntryPayload } from '../stream/entries/entry.ts';
import type { Producer } from '../stream/entries/producer.ts';

/** Resolves to the entries that are not known to be in their streams: usually none. */
export type TryAppend = (payloads: readonly EntryPayload[]) => Promise<readonly EntryPayload[]>;

type Breakers = Pick<Guards, 'redis' | 'streamsOf'>;

const COOL_DOWN_MS = 1000;

/** @param nowMs monotonic clock */
export function createTryAppend(
  producer: Producer,
  breakers: Breakers,
  failures: { inc: (labels: { reason: string }) => void },
  nowMs: () => number = () => performance.now(),
): TryAppend {
  let retryAtMs = Number.NEGATIVE_INFINITY;
  let isDown = false;
  return async (payloads) => {
    if (isDown && nowMs() < retryAtMs) {
      failures.inc({ reason: 'cool-down' });
      return payloads;
    }
    // The next caller waits its turn even while this one still tries.
    if (isDown) retryAtMs = nowMs() + COOL_DOWN_MS;
    try {
      const left = await appendByCorridor(producer, breakers, payloads);
      isDown = false;
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
