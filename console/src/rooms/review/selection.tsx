/** The selected rows of the queue, and the bar that decides their cases with one reason. */
import { useState } from 'react';
import type { Me, ReviewCase } from '../../../../src/kit/client/api-types.ts';
import { serverMs } from '../../api/server-time.ts';
import { count, sumMoney } from '../../format.ts';
import { useShortcuts } from '../../shell/shortcuts.ts';
import { standingOf } from './cases.ts';
import { CASES_MAX, ManyDialog, type useDecideMany } from './many-dialog.tsx';

export type Selection = {
  readonly cases: readonly ReviewCase[];
  readonly has: (one: ReviewCase) => boolean;
  readonly may: (one: ReviewCase) => boolean;
  readonly toggle: (one: ReviewCase) => void;
  readonly all: () => void;
  readonly clear: () => void;
};

/** Deselects rows that have left the queue or that somebody else has claimed. */
export function useSelection(rows: readonly ReviewCase[], me: Me): Selection {
  const [ids, setIds] = useState<ReadonlySet<string>>(new Set());
  const may = (one: ReviewCase) => ['free', 'mine'].includes(standingOf(one, me, serverMs()).kind);
  const has = ({ transaction_id: id }: ReviewCase) => ids.has(id);
  const cases = rows.filter((one) => has(one) && may(one));
  const select = (some: readonly ReviewCase[]) =>
    setIds(new Set(some.slice(0, CASES_MAX).map(({ transaction_id: id }) => id)));
  return {
    cases,
    has,
    may,
    toggle: (one) => {
      if (may(one)) select(has(one) ? cases.filter((other) => other !== one) : [...cases, one]);
    },
    all: () => select(rows.filter(may)),
    clear: () => select([]),
  };
}

type SelectionBarProps = {
  readonly selection: Selection;
  readonly deciding: ReturnType<typeof useDecideMany>;
  /** True while the dialog is open. */
  readonly isAsked: boolean;
  readonly onAsk: (isAsked: boolean) => void;
};

/** The bar lies at the lower edge, so that its appearance moves no row. */
export function SelectionBar({ selection, deciding, isAsked, onAsk }: SelectionBarProps) {
  const { cases, all, clear } = selection;
  useShortcuts({ d: () => cases.length > 0 && onAsk(true) });
  return (
    <section className="undo-bar" aria-label="Selected cases">
      <output>
        <strong>{count(cases.length)} selected</strong>, {sumMoney(cases)}
      </output>
      <button type="button" onClick={all}>
        All shown
      </button>
      <button type="button" onClick={clear}>
        None
      </button>
      <button type="button" className="primary" onClick={() => onAsk(true)}>
        Decide {count(cases.length)} … <kbd>d</kbd>
      </button>
      {isAsked ? <Asked deciding={deciding} cases={cases} onClose={() => onAsk(false)} /> : null}
    </section>
  );
}

type AskedProps = Pick<SelectionBarProps, 'deciding'> & {
  readonly cases: readonly ReviewCase[];
  readonly onClose: () => void;
};

/** Decides the cases that were selected when the dialog opened, even if the queue changes meanwhile. */
function Asked({ deciding, cases, onClose }: AskedProps) {
  const [asked] = useState(cases);
  return <ManyDialog deciding={deciding} cases={asked} onClose={onClose} />;
}
