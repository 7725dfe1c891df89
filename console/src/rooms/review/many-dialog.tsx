/** Decides several cases with one reason. The dialog lists the cases with their sum and names the cases that were refused. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type KeyboardEvent, useRef, useState } from 'react';
import type { ReviewCase } from '../../../../src/kit/client/api-types.ts';
import { ask, deadline } from '../../api/ask.ts';
import { count, money, shortId, sumMoney } from '../../format.ts';
import { type Column, DataTable } from '../../parts/data-table.tsx';
import { ReasonDialog } from '../../parts/reason-dialog.tsx';
import { REVIEWS } from './cases.ts';
import { DISPOSITIONS, type Disposition, TEMPLATES } from './dispositions.ts';
import { PriorityMark } from './marks.tsx';
import { Refused, sentence } from './refused.tsx';
import { SecondPeople } from './second-person.tsx';
import { offerUndo } from './undo-store.ts';

/** Most cases that the API decides at once. */
export const CASES_MAX = 100;

type Many = {
  readonly cases: readonly ReviewCase[];
  readonly disposition: Disposition;
  readonly reason: string;
};

/** @param onDecided deselects: cases that an undo opens again are not selected, so that the outcome of the undo is seen */
export function useDecideMany(onDecided: () => void) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ cases, disposition, reason }: Many) => {
      const ids = cases.map(({ transaction_id: id }) => id);
      const body = { cases: ids, disposition, reason };
      return ask('POST /v1/reviews/decide', { body }, deadline());
    },
    networkMode: 'always',
    onSuccess: ({ items }, { disposition }) => {
      const waiting = items.filter(({ state }) => state === 'confirming').length;
      const second =
        waiting === 0
          ? ''
          : `; a second person (risk officer) has to confirm ${count(waiting)} of them`;
      const about = casesOf(items.length);
      const what = `${about} decided: ${disposition}${second}`;
      onDecided();
      if (items.length > 0) offerUndo({ cases: items, what, about });
    },
    // Nothing waits for the queue: a frozen API never answers it, and the dialog would stay at the sending.
    onSettled: () => {
      void client.invalidateQueries({ queryKey: [REVIEWS] });
    },
  });
}

const casesOf = (cases: number) => `${count(cases)} ${cases === 1 ? 'case' : 'cases'}`;

type DecidingProps = { readonly deciding: ReturnType<typeof useDecideMany> };

/** Says which cases were not decided, and why. */
export function NotDecided({ deciding: { error, data, variables, reset } }: DecidingProps) {
  if (error !== null) return <Refused error={error} onClose={reset} />;
  if (data === undefined || data.refused.length === 0) return null;
  const { refused, items } = data;
  const accounts = new Map(variables?.cases.map((one) => [one.transaction_id, one.account_id]));
  return (
    <div className="refused" role="alert">
      <div>
        <strong>
          {`${count(items.length)} of ${casesOf(items.length + refused.length)} decided; not these:`}
        </strong>
        <ul>
          {refused.map(({ transaction_id: id, detail }) => (
            <li key={id}>
              <span className="anywhere">{accounts.get(id) ?? id}</span>: {sentence(detail)}
            </li>
          ))}
        </ul>
      </div>
      <button type="button" onClick={reset}>
        Close
      </button>
    </div>
  );
}

type ManyDialogProps = DecidingProps & {
  readonly cases: readonly ReviewCase[];
  readonly onClose: () => void;
};

export function ManyDialog({ deciding, cases, onClose }: ManyDialogProps) {
  const [disposition, setDisposition] = useState<Disposition>();
  const choices = useRef<HTMLFieldSetElement>(null);
  const reasonField = () => choices.current?.closest('dialog')?.querySelector('input');
  /** A letter that chooses no decision begins the reason, so that no typed text is lost. */
  const chooseByKey = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.key.length > 1) return;
    if (event.key === ' ') return;
    const chosen = DISPOSITIONS.find(({ key }) => key === event.key);
    reasonField()?.focus();
    if (chosen === undefined) return;
    event.preventDefault();
    setDisposition(chosen.name);
  };
  return (
    <ReasonDialog
      title={`Decide ${casesOf(cases.length)} at once`}
      action={`Decide ${count(cases.length)}${disposition === undefined ? '' : ` as ${disposition}`}`}
      isDangerous
      isBlocked={disposition === undefined}
      templates={disposition === undefined ? [] : TEMPLATES[disposition]}
      onSend={async (reason) => {
        if (disposition !== undefined) await deciding.mutateAsync({ cases, disposition, reason });
      }}
      onClose={onClose}
    >
      <DataTable
        label="Cases to decide"
        columns={COLUMNS}
        rows={cases}
        keyOf={({ transaction_id: id }) => id}
      />
      <p>
        Together <strong>{sumMoney(cases)}</strong>.
      </p>
      <SecondPeople cases={cases} />
      <fieldset
        className="segments"
        aria-label="Decision"
        ref={choices}
        tabIndex={-1}
        data-first=""
        onKeyDown={chooseByKey}
      >
        {DISPOSITIONS.map(({ name, key, title }) => (
          <button
            key={name}
            type="button"
            aria-pressed={name === disposition}
            aria-keyshortcuts={key}
            disabled={deciding.isPending}
            onClick={() => setDisposition(name)}
          >
            {title}{' '}
            <span aria-hidden="true">
              <kbd>{key}</kbd>
            </span>
          </button>
        ))}
      </fieldset>
    </ReasonDialog>
  );
}

const COLUMNS: readonly Column<ReviewCase>[] = [
  {
    id: 'priority',
    header: 'Priority',
    from: 2,
    cell: ({ priority }) => <PriorityMark priority={priority} />,
  },
  {
    id: 'account',
    header: 'Account',
    cell: ({ account_id: id }) => <span title={id}>{shortId(id, 15)}</span>,
  },
  { id: 'score', header: 'Score', numeric: true, from: 2, cell: ({ score }) => score ?? '–' },
  {
    id: 'amount',
    header: 'Amount',
    numeric: true,
    cell: ({ amount, currency }) => money(amount, currency),
  },
];
