/**
 * Recovers what a lost Redis held, pass by pass, until every stream has all that was stored before the loss was
 * noticed.
 */
import type { Moment } from '../../kit/database/moment.ts';
import { type ReconcileState, writeReconcileState } from '../store/recovery/reconcile-state.ts';
import type { AppendMissing, StreamOf } from './append-missing.ts';
import type { Market } from './market.ts';
import { createRecoveryPass, type RecoveryPass } from './recovery-pass.ts';
import type { Waiting } from './waiting-window.ts';

type RecoveryRun = {
  readonly state: ReconcileState;
  /** The moment of the run, read after the check of Redis. */
  readonly moment: Moment;
  readonly append: AppendMissing;
  /** Whether a stream has enough space for a pass, which reads all that waits. */
  readonly hasAmpleRoom: (stream: string) => boolean;
  readonly isOver: () => boolean;
};

/** Names of the streams that lost something. */
export type Owing = 'all' | ReadonlySet<string>;

type Recovery = {
  /** Starts over: something was lost again, or another process may have worked meanwhile. */
  readonly begin: (lost: Owing) => void;
  readonly run: (run: RecoveryRun) => Promise<{ recovering: boolean; full: boolean }>;
};

/** @param batchAgeMs age at which a batch is no longer its request's */
export function createRecovery(
  { database, writes }: Market,
  waiting: Waiting,
  streamOf: StreamOf,
  batchAgeMs: number,
): Recovery {
  /** Everything that was lost was stored before it. */
  let noticed: Moment | undefined;
  let pass: RecoveryPass | undefined;
  let lost: Owing = 'all';
  /** Streams that had no space when the rows before the notice were read; undefined until then. */
  let full: ReadonlySet<string> | undefined;
  /** Everything received before is done; undefined: the pass starts at the checkpoint. */
  let resumeMs: number | undefined;
  const begin = (owing: Owing) => {
    noticed = undefined;
    pass = undefined;
    lost = owing;
    full = undefined;
    resumeMs = undefined;
  };
  /** By then, requests that were in progress at the notice have appended for themselves, or never will. */
  const isLate = (moment: Moment, since: Moment) =>
    moment.at.getTime() - batchAgeMs >= since.at.getTime();
  const nextPass = ({ checkpoint }: ReconcileState, moment: Moment, since: Moment) => {
    const replayedFromMs = checkpoint.getTime();
    return createRecoveryPass(database, waiting, streamOf, {
      replayedFromMs,
      fromMs: resumeMs ?? replayedFromMs,
      toMs: moment.at.getTime() - batchAgeMs,
      storedBefore: full !== undefined || isLate(moment, since) ? since.transactionId : null,
      owing: full ?? lost,
    });
  };
  /** Why no pass begins now. */
  const pauseOf = (hasAmpleRoom: RecoveryRun['hasAmpleRoom'], isEarly: boolean) => {
    if (full !== undefined) {
      return [...full].some(hasAmpleRoom) ? undefined : { recovering: true, full: true };
    }
    // The first pass does not wait for what requests in progress append themselves; the next one does.
    return isEarly && resumeMs !== undefined ? { recovering: true, full: false } : undefined;
  };
  return {
    begin,
    run: async ({ state, moment, append, hasAmpleRoom, isOver }) => {
      noticed ??= moment;
      const isEarly = !isLate(moment, noticed);
      const pause = pass === undefined ? pauseOf(hasAmpleRoom, isEarly) : undefined;
      if (pause !== undefined) return pause;
      pass ??= nextPass(state, moment, noticed);
      while ((await pass.step(append)) === 'again') {
        if (isOver()) return { recovering: true, full: false };
      }
      const left = pass.left();
      resumeMs = Math.min(pass.toMs, ...left.values());
      // Rows received after its end belong to the next pass.
      if (pass.isLast) full = new Set(left.keys());
      pass = undefined;
      if (full === undefined || left.size > 0) return { recovering: true, full: left.size > 0 };
      begin('all');
      const isWritten = await writeReconcileState(writes, state, { ...state, recovering: false });
      return { recovering: !isWritten, full: false };
    },
  };
}
