/** What was decided last, and how long it can be undone: at the lower edge, so that nothing moves when it comes. */
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { useLocation, useSearchParams } from 'wouter';
import { useSecondsUntil } from '../../api/clock.ts';
import { count } from '../../format.ts';
import { useShortcuts } from '../../shell/shortcuts.ts';
import { REVIEWS } from './cases.ts';
import { caseLink, nextFilterOf } from './next-case.ts';
import { steps } from './steps.ts';
import {
  canUndo,
  finalAtMs,
  forgetFinal,
  offerUndo,
  type Undoable,
  useUndoable,
} from './undo-store.ts';

/** Requests at a time that take a ring back. */
const CONCURRENT = 8;

/** @returns how many could not be taken back */
async function takeBack({ cases }: Undoable): Promise<number> {
  let refused = 0;
  for (let at = 0; at < cases.length; at += CONCURRENT) {
    const some = cases.slice(at, at + CONCURRENT).map((one) => steps.undo(one.transaction_id));
    const outcomes = await Promise.allSettled(some);
    refused += outcomes.filter(({ status }) => status === 'rejected').length;
  }
  return refused;
}

export function UndoBar({ onNext }: { readonly onNext: () => void }) {
  const undoable = useUndoable();
  const [message, setMessage] = useState<string>();
  const [isBusy, setBusy] = useState(false);
  const client = useQueryClient();
  const [, go] = useLocation();
  const [search] = useSearchParams();
  const undo = async () => {
    if (undoable === undefined || isBusy || !canUndo(undoable)) return;
    setBusy(true);
    const refused = await takeBack(undoable);
    setBusy(false);
    offerUndo(undefined);
    await client.invalidateQueries({ queryKey: [REVIEWS] });
    const all = undoable.cases.length;
    setMessage(
      refused === 0
        ? `${undoable.what}: taken back.`
        : `${count(refused)} of ${count(all)} could not be taken back: the decision is final, or somebody else has changed it.`,
    );
    const [first] = undoable.cases;
    if (refused === 0 && all === 1 && first)
      go(caseLink(first.transaction_id, nextFilterOf(search)));
  };
  useShortcuts({ z: () => void undo() });
  useEffect(() => {
    if (undoable !== undefined) setMessage(undefined);
  }, [undoable]);
  useEffect(() => forgetFinal, []);
  if (undoable === undefined && message === undefined) return null;
  return (
    <div className="undo-bar">
      <output>{undoable === undefined ? message : undoable.what}</output>
      {undoable === undefined ? null : (
        <UndoButton one={undoable} isBusy={isBusy} onUndo={() => void undo()} />
      )}
      <button type="button" className="primary" onClick={onNext}>
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
