/**
 * Brings back what a lost Redis held, pass by pass, until every stream has all that was stored before
 * the loss was noticed.
 */
import type { Moment } from '../store/moment.ts';
import type { ReconcileState } from '../store/reconcile-state.ts';
import type { AppendMissing } from './append-missing.ts';
import {
  createRecoveryPass,
  type RecoveryDependencies,
  type RecoveryPass,
} from './recovery-pass.ts';

export type RecoveryOptions = RecoveryDependencies & {
  /** False where another process has written the state since it was read. */
  readonly writeState: (read: ReconcileState, next: ReconcileState) => Promise<boolean>;
  readonly batchAgeMs: number;
};

export type RecoveryRun = {
  readonly state: ReconcileState;
  /** Of the run: after Redis was looked at. */
  readonly moment: Moment;
  readonly append: AppendMissing;
  /** Worth a pass, which reads all that waits. */
  readonly hasAmpleRoom: (stream: string) => boolean;
  readonly isOver: () => boolean;
};

export type Recovery = {
  /** Starts over: Redis is another one, or another process may have been at work. */
  readonly begin: () => void;
  readonly run: (run: RecoveryRun) => Promise<{ recovering: boolean; full: boolean }>;
};

export function createRecovery(dependencies: RecoveryOptions): Recovery {
  const { batchAgeMs, writeState } = dependencies;
  /** All that was lost was stored before it. */
  let noticed: Moment | undefined;
  let pass: RecoveryPass | undefined;
  let owing: 'all' | ReadonlySet<string> = 'all';
  /** Everything received before has been looked at; undefined: from the checkpoint on. */
  let resumeMs: number | undefined;
  const begin = () => {
    noticed = undefined;
    pass = undefined;
    owing = 'all';
    resumeMs = undefined;
  };
  /** Requests in progress at the notice have appended for themselves, or never will. */
  const isLate = (moment: Moment, since: Moment) =>
    moment.at.getTime() - batchAgeMs >= since.at.getTime();
  const nextPass = ({ checkpoint }: ReconcileState, moment: Moment, since: Moment) => {
    const replayedFromMs = checkpoint.getTime();
    return createRecoveryPass(dependencies, {
      replayedFromMs,
      fromMs: resumeMs ?? replayedFromMs,
      toMs: moment.at.getTime() - batchAgeMs,
      storedBefore: owing !== 'all' || isLate(moment, since) ? since.transactionId : null,
      owing,
    });
  };
  /** Why no pass begins now. */
  const pauseOf = (hasAmpleRoom: RecoveryRun['hasAmpleRoom'], isEarly: boolean) => {
    if (owing !== 'all') {
      return [...owing].some(hasAmpleRoom) ? undefined : { recovering: true, full: true };
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
      // What was received after its end is for the next pass.
      if (pass.isLast) owing = new Set(left.keys());
      pass = undefined;
      if (owing === 'all' || left.size > 0) return { recovering: true, full: left.size > 0 };
      begin();
      const isWritten = await writeState(state, { ...state, recovering: false });
      return { recovering: !isWritten, full: false };
    },
  };
}
