/**
 * Brings back what a lost Redis held, pass by pass, until every stream has all that was received before
 * the loss was noticed.
 */
import type { ReconcileState } from '../store/reconcile-state.ts';
import type { AppendMissing } from './append-missing.ts';
import {
  createRecoveryPass,
  type RecoveryDependencies,
  type RecoveryPass,
} from './recovery-pass.ts';

export type RecoveryOptions = RecoveryDependencies & {
  readonly writeState: (state: ReconcileState) => Promise<void>;
  readonly batchAgeMs: number;
  readonly now: () => number;
};

export type RecoveryRun = {
  readonly state: ReconcileState;
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
  const { now, batchAgeMs, writeState } = dependencies;
  let noticedAtMs = now();
  let pass: RecoveryPass | undefined;
  let owing: 'all' | ReadonlySet<string> = 'all';
  /** Everything received before has been looked at; undefined: from the checkpoint on. */
  let resumeMs: number | undefined;
  const nextPass = ({ checkpoint }: ReconcileState): RecoveryPass => {
    const replayedFromMs = checkpoint.getTime();
    return createRecoveryPass(dependencies, {
      replayedFromMs,
      fromMs: resumeMs ?? replayedFromMs,
      toMs: now() - batchAgeMs,
      owing,
    });
  };
  /** Why no pass begins now. */
  const pauseOf = (hasAmpleRoom: RecoveryRun['hasAmpleRoom']) => {
    if (owing !== 'all') {
      return [...owing].some(hasAmpleRoom) ? undefined : { recovering: true, full: true };
    }
    // The first pass does not wait for what requests in progress append themselves; the next one does.
    const isEarly = resumeMs !== undefined && now() - batchAgeMs < noticedAtMs;
    return isEarly ? { recovering: true, full: false } : undefined;
  };
  return {
    begin: () => {
      noticedAtMs = now();
      pass = undefined;
      owing = 'all';
      resumeMs = undefined;
    },
    run: async ({ state, append, hasAmpleRoom, isOver }) => {
      const pause = pass === undefined ? pauseOf(hasAmpleRoom) : undefined;
      if (pause !== undefined) return pause;
      pass ??= nextPass(state);
      while ((await pass.step(append)) === 'again') {
        if (isOver()) return { recovering: true, full: false };
      }
      const left = pass.left();
      resumeMs = Math.min(pass.toMs, ...left.values());
      // What was received between its end and the notice is for the next pass.
      if (pass.toMs >= noticedAtMs || owing !== 'all') owing = new Set(left.keys());
      pass = undefined;
      if (owing === 'all' || left.size > 0) return { recovering: true, full: left.size > 0 };
      await writeState({ ...state, recovering: false });
      return { recovering: false, full: false };
    },
  };
}
