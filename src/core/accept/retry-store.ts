/**
 * The failures of the store that ingest tries again by itself, before its caller hears of them: a lost race with
 * another transaction, a commit whose outcome is unknown, a connection that was dead when it was taken from the
 * pool, a partition that vanished. All other failures go to the caller.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { CORRIDOR_STUCK } from '../../kit/breakers/corridor-writes.ts';
import { isKeyTaken } from '../../kit/database/outage.ts';
import {
  isPartitionMissing,
  LOCK_NOT_AVAILABLE,
  sqlStateOf,
} from '../../kit/database/pg-failure.ts';
import { COMMIT_UNKNOWN, Failure } from '../../kit/words/failure.ts';

const TRIES_MAX = 6;
const JITTER_MS = 20;
/** A failure this early means a stale connection; a later one is an outage, which ends in 503. */
const STALE_MS_MAX = 300;
const RACES_LOST = new Set(['40P01', '40001']);
const STATEMENT_CANCELLED = '57014';

/**
 * @param work    one try; whatever it repeats must be safe to repeat
 * @param forget  forgets which partitions are known to exist
 */
export async function retryStore<T>(work: () => Promise<T>, forget: () => void): Promise<T> {
  const startedAt = performance.now();
  for (let tried = 1; ; tried++) {
    try {
      return await work();
    } catch (error) {
      const elapsedMs = performance.now() - startedAt;
      if (isPartitionMissing(error)) forget();
      else if (!isWorthAnotherTry(error, tried, elapsedMs)) throw asAnswer(error);
      if (tried === TRIES_MAX) throw asAnswer(error);
      await delay(Math.random() * JITTER_MS * tried);
    }
  }
}

function isWorthAnotherTry(error: unknown, tried: number, elapsedMs: number): boolean {
  if (!(error instanceof Failure)) return false;
  if (error.code === COMMIT_UNKNOWN || error.kind === 'transient') return tried <= 2;
  if (error.kind !== 'unavailable' || error.code === CORRIDOR_STUCK) return false;
  const state = sqlStateOf(error);
  if (state !== undefined && RACES_LOST.has(state)) return true;
  if (state === LOCK_NOT_AVAILABLE || state === STATEMENT_CANCELLED) return false;
  return tried === 1 && elapsedMs < STALE_MS_MAX;
}

/** Reaching the deadline while another request inserts the same key is a conflict, not an outage. */
function asAnswer(error: unknown): unknown {
  if (!(error instanceof Failure) || !isKeyTaken(error)) return error;
  return new Failure(
    'conflict',
    'STILL_RUNNING',
    'the first request with this idempotency key is still running',
    { cause: error },
  );
}
