/** The last decision, and the time left to undo it: at the lower edge, so that nothing moves when the bar comes. */
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { useLocation, useSearchParams } from 'wouter';
import type { ReviewCase } from '../../../../src/kit/client/api-types.ts';
import { Refusal } from '../../api/ask.ts';
import { useSecondsUntil } from '../../api/clock.ts';
import { followUp } from '../../api/follow-up.ts';
import { count } from '../../format.ts';
import { Waiting } from '../../parts/states.tsx';
import { useShortcuts } from '../../shell/shortcuts.ts';
import { REVIEWS } from './cases.ts';
import { caseLink, nextFilterOf, releaseUntouched } from './next-case.ts';
import { steps } from './steps.ts';
import {
  canUndo,
  finalAtMs,
  forgetFinal,
  offerUndo,
  type Undoable,
  useUndoable,
} from './undo-store.ts';

/** Requests at a time that take a decision about several cases back. */
const CONCURRENT = 8;

type TakenBack = {
  readonly cases: readonly ReviewCase[];
  /** Why other cases could not be taken back. */
  readonly reasons: readonly unknown[];
};

async function takeBack({ cases }: Undoable): Promise<TakenBack> {
  const outcomes: PromiseSettledResult<ReviewCase>[] = [];
  for (let at = 0; at < cases.length; at += CONCURRENT) {
    const some = cases.slice(at, at + CONCURRENT).map((one) => steps.undo(one.transaction_id));
    outcomes.push(...(await Promise.allSettled(some)));
  }
  return {
    cases: outcomes.flatMap((one) => (one.status === 'fulfilled' ? one.value : [])),
    reasons: outcomes.flatMap((one) => (one.status === 'rejected' ? one.reason : [])),
  };
}

/** The outcome of an undo, in words. */
function outcomeOf({ cases, about }: Undoable, { cases: undone, reasons }: TakenBack): string {
  if (reasons.length === 0) {
    const claimed = undone.filter(({ state }) => state === 'claimed').length;
    const is = (some: number) => `${count(some)} ${some === 1 ? 'is' : 'are'}`;
    const now = [
      ...(claimed < undone.length ? [`${is(undone.length - claimed)} open again`] : []),
      ...(claimed > 0 ? [`${is(claimed)} claimed by you`] : []),
    ];
    return `The decision about ${about} is taken back: ${now.join(', ')}.`;
  }
  const some = `${count(reasons.length)} of ${count(cases.length)}`;
  return reasons.every((reason) => reason instanceof Refusal)
    ? `${some} could not be taken back: the decision is final, or somebody else has changed it.`
    : `No answer came about ${some}: the case says whether its decision stands.`;
}

type UndoBarProps = {
  /** True until the next case has answered. */
  readonly isNextAsked: boolean;
  readonly onNext: () => void;
};

export function UndoBar({ isNextAsked, onNext }: UndoBarProps) {
  const undoable = useUndoable();
  const [message, setMessage] = useState<string>();
  const [isBusy, setBusy] = useState(false);
  const client = useQueryClient();
  const [, go] = useLocation();
  const [search] = useSearchParams();
  const undo = async () => {
    if (isBusy) return;
    if (undoable === undefined || !canUndo(undoable)) {
      offerUndo(undefined);
      setMessage('Nothing to undo.');
      return;
    }
    setBusy(true);
    const mayMove = followUp();
    const takenBack = await takeBack(undoable);
    setBusy(false);
    offerUndo(undefined);
    await client.invalidateQueries({ queryKey: [REVIEWS] });
    setMessage(outcomeOf(undoable, takenBack));
    const [first, ...others] = takenBack.cases;
    const isOne = takenBack.reasons.length === 0 && others.length === 0;
    if (!isOne || first === undefined || !mayMove()) return;
    await releaseUntouched(client, first);
    go(caseLink(first.transaction_id, nextFilterOf(search)));
  };
  useShortcuts({ z: () => void undo() });
  useEffect(() => {
    if (undoable !== undefined) setMessage(undefined);
  }, [undoable]);
  useEffect(() => forgetFinal, []);
  if (undoable === undefined && message === undefined) {
    if (!isNextAsked) return null;
    return <Waiting className="undo-bar">Waiting for the next case …</Waiting>;
  }
  return (
    <div className="undo-bar">
      <output>{undoable === undefined ? message : undoable.what}</output>
      {undoable === undefined ? null : (
        <UndoButton one={undoable} isBusy={isBusy} onUndo={() => void undo()} />
      )}
      <button type="button" className="primary" disabled={isNextAsked} onClick={onNext}>
        Next case <kbd>n</kbd>
      </button>
      <button
        type="button"
        className="close"
        aria-label="Dismiss"
        onClick={() => {
          offerUndo(undefined);
          setMessage(undefined);
        }}
      >
        ×
      </button>
    </div>
  );
}

type UndoButtonProps = {
  readonly one: Undoable;
  readonly isBusy: boolean;
  readonly onUndo: () => void;
};

function UndoButton({ one, isBusy, onUndo }: UndoButtonProps) {
  const seconds = useSecondsUntil(finalAtMs(one));
  if (!canUndo(one)) return <span className="muted">final</span>;
  return (
    <button type="button" disabled={isBusy} onClick={onUndo}>
      Undo{' '}
      {seconds === null ? null : (
        <span className="seconds" role="timer">
          {seconds} s
        </span>
      )}{' '}
      <kbd>z</kbd>
    </button>
  );
}
