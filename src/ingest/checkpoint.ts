/**
 * Moves the checkpoint: everything received before it is final. It never passes a row that is not accounted for. Such a
 * row is of a database transaction that was still open, or owed by an open batch, or waits in Redis; in that order, as it
 * moves from one to the next. What waits is that of one Redis, which is asked again afterwards whether it is still the same, and so is each stream.
 */
import { END_OF_BATCHES, FIRST_BATCH } from '../domain/open-batch.ts';
import type { Moment } from '../store/moment.ts';
import type { ReconcileState } from '../store/reconcile-state.ts';
import type { ProveStreams } from './prove-streams.ts';
import type { WaitingDependencies } from './waiting-window.ts';

export type CheckpointDependencies = WaitingDependencies & {
  readonly readMoment: () => Promise<Moment>;
  /** Which Redis this is; throws Failure `unavailable` when it cannot be written. */
  readonly readIdentity: () => Promise<string>;
  readonly proveStreams: ProveStreams;
  /** False where another process has written the state since it was read. */
  readonly writeState: (read: ReconcileState, next: ReconcileState) => Promise<boolean>;
};

export type Checkpoint = {
  /** @param moment of the run; what was received before it is looked for */
  readonly advance: (state: ReconcileState, moment: Moment) => Promise<void>;
};

const EVERY_MS = 60_000;
/** By how much Postgres' clock may step back, as when a standby takes over, without a row that falls behind the checkpoint. */
const STEP_BACK_MS_MAX = 60_000;

export function createCheckpoint(dependencies: CheckpointDependencies): Checkpoint {
  const { readMoment, readIdentity, proveStreams } = dependencies;
  const { listOpenBatches, readWaiting, writeState } = dependencies;
  let dueMs = Number.NEGATIVE_INFINITY;
  /** Waits until every database transaction that was open then has ended. */
  let candidate: Moment | undefined;
  return {
    advance: async (state, moment) => {
      if (performance.now() < dueMs) return;
      candidate ??= moment;
      const { openFrom } = await readMoment();
      if (openFrom < candidate.transactionId) return;
      let oldestMs = candidate.at.getTime();
      const [owed] = await listOpenBatches(END_OF_BATCHES, FIRST_BATCH, 1);
      if (owed !== undefined) oldestMs = Math.min(oldestMs, owed.receivedAt.getTime());
      for await (const page of readWaiting()) {
        for (const { receivedAtMs } of page) oldestMs = Math.min(oldestMs, receivedAtMs);
      }
      if ((await readIdentity()) !== state.redisIdentity) return;
      if ((await proveStreams()).owing.size > 0) return;
      const checkpoint = new Date(oldestMs - STEP_BACK_MS_MAX);
      if (checkpoint > state.checkpoint) await writeState(state, { ...state, checkpoint });
      candidate = undefined;
      dueMs = performance.now() + EVERY_MS;
    },
  };
}
