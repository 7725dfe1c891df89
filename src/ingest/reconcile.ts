/**
 * The reconciler brings transactions into the streams that are committed but not there: batches whose
 * append was refused or failed, or whose API died, and, after Redis was lost, everything that is neither
 * final nor waiting. Appending twice is harmless, not appending is not: when in doubt it appends. While
 * a stream is owed anything it is held: it takes only what the reconciler brings, oldest first.
 *
 * One leader of a market runs it every second or so (worker maintenance), or an operator does
 * (`risk reconcile`). A run takes a bounded time; what is left goes on in the next one.
 */
import { FIRST_BATCH } from '../domain/open-batch.ts';
import type { ReconcileState } from '../store/reconcile-state.ts';
import type { AppendEntries } from './append-entries.ts';
import { createAppendMissing } from './append-missing.ts';
import { createOpenBatches } from './append-open-batches.ts';
import {
  createLook,
  type LookDependencies,
  type Looked,
  readByName,
  roomCheck,
} from './look-after-streams.ts';
import { createRecovery, type RecoveryOptions } from './recovery.ts';

export type ReconcileDependencies = RecoveryOptions &
  LookDependencies & {
    readonly readState: () => Promise<ReconcileState>;
    readonly append: AppendEntries;
    /** Which Redis this is; throws Failure `unavailable` when it cannot be written. */
    readonly readIdentity: () => Promise<string>;
    readonly count: (appended: number) => void;
  };

export type ReconcileReport = {
  /** Open batches that were closed. */
  readonly batches: number;
  /** Transactions that were appended. */
  readonly appended: number;
  /** True while what a lost Redis held is being brought back. */
  readonly recovering: boolean;
  /** True when something waits for streams that are full. */
  readonly full: boolean;
  /** Streams that are still held. */
  readonly held: number;
};

export type Reconciler = { readonly run: (signal: AbortSignal) => Promise<ReconcileReport> };

/** A run looks at the identity of Redis and at the open batches again after this long. */
const RUN_MS_MAX = 5000;
const CHECKPOINT_EVERY_MS = 60_000;
/** Longer than any request takes from its received_at to its commit. */
const CHECKPOINT_MARGIN_MS = 60_000;
/** Share of a stream that is free before a pass is made for it: a pass reads all that waits. */
const RECOVERY_REFILL_SHARE = 0.1;

export function createReconciler(dependencies: ReconcileDependencies): Reconciler {
  const { now, readState, streamOf } = dependencies;
  const recovery = createRecovery(dependencies);
  const openBatches = createOpenBatches(dependencies);
  const isLost = createLossCheck(dependencies, recovery.begin);
  const look = createLook(dependencies, openBatches);
  let checkpointAtMs = Number.NEGATIVE_INFINITY;

  const run = async (signal: AbortSignal): Promise<ReconcileReport> => {
    const endMs = now() + RUN_MS_MAX;
    const isOver = () => signal.aborted || now() >= endMs;
    let [appended, batches] = [0, 0];
    const append = createAppendMissing(dependencies.append, streamOf, (transactions) => {
      appended += transactions;
      dependencies.count(transactions);
    });
    const former = await readState();
    const { state, isHolding } = await isLost(former);
    let { recovering } = state;
    let isFull = false;
    if (recovering) {
      const streams = await readByName(dependencies);
      const hasAmpleRoom = roomCheck(dependencies, streams, RECOVERY_REFILL_SHARE);
      const result = await recovery.run({ state, append, hasAmpleRoom, isOver });
      recovering = result.recovering;
      isFull = result.full;
    }
    const barred = (stream: string) => recovering && isHolding && recovery.isOwing(stream);
    let looked: Looked;
    do {
      looked = await look({ append, isOver, barred });
      batches += looked.closed;
    } while (looked.again && !isOver());
    if (!state.recovering && now() - checkpointAtMs >= CHECKPOINT_EVERY_MS) {
      checkpointAtMs = now();
      await advanceCheckpoint(dependencies, state);
    }
    const full = isFull || (!recovering && openBatches.full().size > 0);
    return { batches, appended, recovering, full, held: looked.held };
  };

  return {
    run: async (signal) => {
      try {
        return await run(signal);
      } catch (error) {
        openBatches.forget();
        recovery.begin();
        throw error;
      }
    },
  };
}

/**
 * Notices another Redis, and begins a recovery. One that came back with its data lost a second at most
 * and goes on at once; where all is gone, streams are held until they have what is older.
 */
function createLossCheck(dependencies: ReconcileDependencies, begin: () => void) {
  const { readIdentity, writeState, readStreams, holds } = dependencies;
  /** Undefined until the first look: whoever led before may have noticed a loss. */
  let isHolding: boolean | undefined;
  return async (state: ReconcileState) => {
    const redisIdentity = await readIdentity();
    const isKnown = state.redisIdentity === redisIdentity;
    if (isKnown && (isHolding !== undefined || !state.recovering)) {
      isHolding &&= state.recovering;
      return { state, isHolding: isHolding === true };
    }
    const hasSameData =
      state.redisIdentity === null || dataOf(state.redisIdentity) === dataOf(redisIdentity);
    isHolding = isKnown || !hasSameData;
    // Where another process noticed it, what it held is held still.
    if (!isKnown && isHolding) await holds.hold((await readStreams()).map(({ stream }) => stream));
    // Written before anything is done, so that a crash cannot forget the loss.
    const noticed = { ...state, redisIdentity, recovering: true };
    await writeState(noticed);
    begin();
    return { state: noticed, isHolding };
  };
}

/** An identity begins with a value that lives as long as the data. */
function dataOf(identity: string): string {
  return identity.split(' ')[0] ?? '';
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
