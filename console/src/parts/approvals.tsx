/** Approvals wait for a second person: another person confirms, and anybody who may propose withdraws. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import type { Approval, Me } from '../../../src/kit/client/api-types.ts';
import { ask, deadline } from '../api/ask.ts';
import { has } from '../api/me.ts';
import { person } from '../format.ts';
import { type Column, DataTable } from './data-table.tsx';
import { Confirm } from './dialog.tsx';
import { Part } from './page.tsx';
import { Time } from './show.tsx';
import { Trouble } from './states.tsx';

export const APPROVALS = 'approvals';
type Step = 'confirm' | 'withdraw';
type Asked = { readonly step: Step; readonly approval: Approval };

const sayDetail = ({ detail }: Approval) =>
  Object.entries(detail)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${name} ${typeof value === 'object' ? JSON.stringify(value) : value}`)
    .join(', ');

const COLUMNS: readonly Column<Approval>[] = [
  {
    id: 'how',
    header: 'How',
    from: 2,
    cell: (row) => <span className="wrap">{sayDetail(row)}</span>,
  },
  {
    id: 'why',
    header: 'Reason',
    cell: ({ reason }) => <span className="wrap">{reason ?? '–'}</span>,
  },
  { id: 'by', header: 'Proposed by', cell: ({ proposed_by }) => person(proposed_by) },
  { id: 'at', header: 'When', from: 3, cell: ({ proposed_at }) => <Time at={proposed_at} /> },
  { id: 'until', header: 'Until', from: 3, cell: ({ ends_at }) => <Time at={ends_at} /> },
];

type Props = {
  /** True for approvals that are shown; absent: all are. */
  readonly isShown?: (approval: Approval) => boolean;
  /** Evidence that people look at before they confirm. */
  readonly evidenceOf?: (approval: Approval) => ReactNode;
  readonly me: Me;
};

/** Absent where nothing waits. */
export function Approvals({ isShown = () => true, evidenceOf = () => null, me }: Props) {
  const [asked, setAsked] = useState<Asked>();
  const client = useQueryClient();
  const { data } = useQuery({
    queryKey: [APPROVALS],
    queryFn: ({ signal }) => ask('GET /v1/approvals', { query: { limit: 200 } }, signal),
  });
  const decide = useMutation({
    mutationFn: ({ step, approval: { approval_id: id } }: Asked) =>
      step === 'confirm'
        ? ask('POST /v1/approvals/{id}/confirm', { path: { id } }, deadline())
        : ask('POST /v1/approvals/{id}/withdraw', { path: { id } }, deadline()),
    // The page around shows the change.
    onSettled: () => client.invalidateQueries(),
  });
  const rows = data?.items.filter(isShown) ?? [];
  const button = (step: Step, text: string, approval: Approval) => (
    <button
      type="button"
      disabled={decide.isPending}
      aria-label={`${text} ${approval.subject}`}
      onClick={() => setAsked({ step, approval })}
    >
      {text}
    </button>
  );
  const what: Column<Approval> = {
    ...{ id: 'what', header: 'What' },
    cell: (row) => (
      <span className="wrap">
        {`${row.kind}: ${row.subject}`} {evidenceOf(row)}
      </span>
    ),
  };
  const actions: Column<Approval> = {
    ...{ id: 'actions', header: 'Actions' },
    cell: (approval) => (
      <span className="row">
        {/* The API decides who is another person; this one would be refused. */}
        {has(me, 'risk_officer') && approval.proposed_by !== me.identity
          ? button('confirm', 'Confirm', approval)
          : null}
        {has(me, 'analyst', 'operator', 'risk_officer', 'admin')
          ? button('withdraw', 'Withdraw', approval)
          : null}
      </span>
    ),
  };
  return (
    <>
      {decide.error === null ? null : <Trouble error={decide.error} />}
      {decide.data === undefined ? null : (
        <output className="notice">
          {decide.data.subject}: {decide.data.state}.
        </output>
      )}
      {rows.length === 0 ? null : (
        <Part title="Waits for a second person">
          <DataTable
            label="Approvals"
            columns={[what, ...COLUMNS, actions]}
            rows={rows}
            keyOf={({ approval_id }) => approval_id}
          />
        </Part>
      )}
      {asked === undefined ? null : (
        <Confirm
          title={asked.step === 'confirm' ? 'Confirm a decision' : 'Withdraw a decision'}
          action={asked.step === 'confirm' ? 'Confirm' : 'Withdraw'}
          isDangerous={asked.step === 'withdraw'}
          onConfirm={() => decide.mutate(asked)}
          onClose={() => setAsked(undefined)}
        >
          <p>
            {asked.approval.subject}, as {person(asked.approval.proposed_by)} proposed:{' '}
            {sayDetail(asked.approval)}. The audit log keeps both of you.
          </p>
          {asked.approval.reason === null ? null : (
            <p>
              <strong>{asked.approval.reason}</strong>
            </p>
          )}
        </Confirm>
      )}
    </>
  );
}
