/**
 * Moves the checkpoint: everything received before it is final. It never passes a row that is not accounted
 * for. Such a row belongs to a database transaction that is still open, or an open batch owes it, or it waits
 * in Redis; it moves through them in that order. All waiting entries must be of one Redis, so its identity is
 * read again afterwards, as is that of each stream. A dead letter that names no transaction (an unreadable
 * entry) leaves rows unaccounted for, too: then a recovery begins instead. Such dead letters are read after the
 * streams, as their row is committed before their entry is removed.
 */
import { type Moment, readMoment } from '../../kit/database/moment.ts';
import { END_OF_BATCHES, FIRST_BATCH } from '../domain/open-batch.ts';
import { type ReconcileState, writeReconcileState } from '../store/recovery/reconcile-state.ts';
import { recoverUnreadable } from '../store/transactions/unscored.ts';
import { readIdentity } from '../stream/identity.ts';
import type { Market } from './market.ts';
import type { ProveStreams } from './prove-streams.ts';
import type { Waiting } from './waiting-window.ts';

export type Checkpoint = {
  /**
   * @param moment of the run; rows received before it are considered
   * @returns whether a recovery begins
   */
  readonly advance: (state: ReconcileState, moment: Moment) => Promise<boolean>;
};

const EVERY_MS = 60_000;
/** By how much Postgres' clock may step back, as when a standby takes over, without a row that falls behind the checkpoint. */
const STEP_BACK_MS_MAX = 60_000;

export function createCheckpoint(
  market: Market,
  waiting: Waiting,
  proveStreams: ProveStreams,
): Checkpoint {
  const { database, writes } = market;
  let dueMs = Number.NEGATIVE_INFINITY;
  /** Waits until every database transaction that was open then has ended. */
  let candidate: Moment | undefined;
  return {
    advance: async (state, moment) => {
      if (performance.now() < dueMs) return false;
      candidate ??= moment;
      const { openFrom } = await readMoment(database);
      if (openFrom < candidate.transactionId) return false;
      const oldestMs = await findOldestMs(waiting, candidate.at.getTime());
      const isRecovering = await recoverUnreadable(writes);
      if (!isRecovering) {
        if (!(await isUnchanged(market, proveStreams, state))) return false;
        const checkpoint = new Date(oldestMs - STEP_BACK_MS_MAX);
        if (checkpoint > state.checkpoint) {
          await writeReconcileState(writes, state, { ...state, checkpoint });
        }
      }
      candidate = undefined;
      dueMs = performance.now() + EVERY_MS;
      return isRecovering;
    },
  };
}

/**
 * Reception time of the oldest transaction that open batches owe or that waits in Redis; `nowMs` where there is
 * none.
 */
async function findOldestMs(
  { listOpenBatches, readWaiting }: Waiting,
  nowMs: number,
): Promise<number> {
  const [owed] = await listOpenBatches(END_OF_BATCHES, FIRST_BATCH, 1);
  let oldestMs = Math.min(nowMs, owed?.receivedAt.getTime() ?? nowMs);
  for await (const page of readWaiting()) {
    for (const { receivedAtMs } of page) oldestMs = Math.min(oldestMs, receivedAtMs);
  }
  return oldestMs;
}

/** Whether Redis, and each of its streams, still has the identity that was read. */
async function isUnchanged(
  { redis, name }: Market,
  proveStreams: ProveStreams,
  { redisIdentity }: ReconcileState,
): Promise<boolean> {
  const identity = await readIdentity(redis, name);
  return identity === redisIdentity && (await proveStreams()).owing.size === 0;
}
