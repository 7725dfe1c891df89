/**
 * The reconciler brings transactions into the streams that are committed but not there: batches whose
 * append failed or whose API died, and, after Redis was lost, everything that is neither final nor
 * waiting. Appending twice is harmless, not appending is not: when in doubt it appends.
 *
 * One leader of a market runs it every second or so (worker maintenance), or an operator does
 * (`risk reconcile`). A run takes a bounded time; a recovery goes on in the next one.
 */
import { FIRST_BATCH } from '../domain/open-batch.ts';
import type { ReconcileState } from '../store/reconcile-state.ts';
import type { WaitingTransaction } from '../stream/waiting.ts';
import type { AppendEntries } from './append-entries.ts';
import { type AppendMissing, createAppendMissing } from './append-missing.ts';
import { appendOpenBatches, type OpenBatchesDependencies } from './append-open-batches.ts';
import {
  createRecoveryPass,
  type RecoveryDependencies,
  type RecoveryPass,
} from './recovery-pass.ts';

export type ReconcileDependencies = RecoveryDependencies &
  OpenBatchesDependencies & {
    readonly readState: () => Promise<ReconcileState>;
    readonly writeState: (state: ReconcileState) => Promise<void>;
    readonly append: AppendEntries;
    /** Which Redis this is; throws Failure `unavailable` when it cannot be written. */
    readonly readIdentity: () => Promise<string>;
    /** Pages of what waits in all streams of the market. */
    readonly readWaiting: () => AsyncIterable<readonly WaitingTransaction[]>;
    /** Age at which an open batch is appended again. */
    readonly batchAgeMs: number;
    readonly now: () => number;
    readonly count: (appended: number) => void;
  };

export type ReconcileReport = {
  /** Open batches that were closed. */
  readonly batches: number;
  /** Transactions that were appended. */
  readonly appended: number;
  /** True while what a lost Redis held is being brought back. */
  readonly recovering: boolean;
  /** True when a recovery waits for streams that are full. */
  readonly full: boolean;
};

export type Reconciler = { readonly run: (signal: AbortSignal) => Promise<ReconcileReport> };

/** A run hands back its leadership and looks at the open batches again after this long. */
const RUN_MS_MAX = 5000;
const CHECKPOINT_EVERY_MS = 60_000;
/** Longer than any request takes from its received_at to its commit. */
const CHECKPOINT_MARGIN_MS = 60_000;

export function createReconciler(dependencies: ReconcileDependencies): Reconciler {
  const { now, readState, writeState, batchAgeMs } = dependencies;
  let pass: RecoveryPass | undefined;
  let noticedAtMs = now();
  let checkpointAtMs = Number.NEGATIVE_INFINITY;

  const recover = async (state: ReconcileState, append: AppendMissing, isOver: () => boolean) => {
    pass ??= await startPass(dependencies, state);
    while (!isOver()) {
      const step = await pass.step(append);
      if (step === 'full') return { recovering: true, full: true };
      if (step === 'again') continue;
      const isComplete = pass.missing() === 0 && pass.toMs >= noticedAtMs;
      pass = undefined;
      if (isComplete) await writeState({ ...state, recovering: false });
      return { recovering: !isComplete, full: false };
    }
    return { recovering: true, full: false };
  };

  return {
    run: async (signal) => {
      const endMs = now() + RUN_MS_MAX;
      const isOver = () => signal.aborted || now() >= endMs;
      let appended = 0;
      const append = createAppendMissing(dependencies.append, (transactions) => {
        appended += transactions;
        dependencies.count(transactions);
      });
      const redisIdentity = await dependencies.readIdentity();
      let state = await readState();
      if (state.redisIdentity !== redisIdentity) {
        // Written before anything is done, so that a crash cannot forget the loss.
        state = { ...state, redisIdentity, recovering: true };
        await writeState(state);
        noticedAtMs = now();
        pass = undefined;
      }
      const before = new Date(now() - batchAgeMs);
      const batches = await appendOpenBatches(dependencies, before, append, isOver);
      if (state.recovering) {
        const recovery = await recover(state, append, isOver);
        return { batches, appended, ...recovery };
      }
      if (now() - checkpointAtMs >= CHECKPOINT_EVERY_MS) {
        checkpointAtMs = now();
        await advanceCheckpoint(dependencies, state);
      }
      return { batches, appended, recovering: false, full: false };
    },
  };
}

async function startPass(
  dependencies: ReconcileDependencies,
  { checkpoint }: ReconcileState,
): Promise<RecoveryPass> {
  const toMs = dependencies.now() - dependencies.batchAgeMs;
  const waiting = new Set<string>();
  for await (const page of dependencies.readWaiting()) {
    for (const { transactionId } of page) waiting.add(transactionId);
  }
  return createRecoveryPass(dependencies, { fromMs: checkpoint.getTime(), toMs, waiting });
}

/**
 * Everything received before the checkpoint is final. While an old batch is open it stays where it is.
 * What moves from a batch into a stream unseen is younger than the margin, or is a replayed dead
 * letter, which a recovery finds by the time of its replay.
 */
async function advanceCheckpoint(
  { now, batchAgeMs, listOpenBatches, readWaiting, writeState }: ReconcileDependencies,
  state: ReconcileState,
): Promise<void> {
  let oldestMs = now();
  const stuck = await listOpenBatches(new Date(oldestMs - batchAgeMs), FIRST_BATCH, 1);
  if (stuck.length > 0) return;
  for await (const page of readWaiting()) {
    for (const { receivedAtMs } of page) oldestMs = Math.min(oldestMs, receivedAtMs);
  }
  const checkpoint = new Date(oldestMs - CHECKPOINT_MARGIN_MS);
  if (checkpoint > state.checkpoint) await writeState({ ...state, checkpoint });
}
