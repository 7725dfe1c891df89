/** The decisions of two people about a model: one proposes, another approves; one alone rolls back. */
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import type { Me, ModelDetail } from '../../../../src/kit/client/api-types.ts';
import { ask } from '../../api/ask.ts';
import { has } from '../../api/me.ts';
import { person } from '../../format.ts';
import { type Column, DataTable } from '../../parts/data-table.tsx';
import { Confirm } from '../../parts/dialog.tsx';
import { Part } from '../../parts/page.tsx';
import { Time } from '../../parts/show.tsx';
import { Trouble } from '../../parts/states.tsx';
import { Propose, toWords, useRenew } from './propose.tsx';

type Proposal = ModelDetail['proposals'][number];
type Props = { readonly model: ModelDetail; readonly me: Me };

export function Rollout({ model, me }: Props) {
  const mayDecide = has(me, 'risk_officer');
  return (
    <Part title="Rollout">
      <Proposals model={model} me={me} />
      {mayDecide ? (
        <>
          <Propose model={model} />
          <RollBack model={model} />
        </>
      ) : null}
    </Part>
  );
}

function Proposals({ model: { proposals }, me }: Props) {
  const renew = useRenew();
  const [asked, setAsked] = useState<Proposal>();
  const approve = useMutation({
    mutationFn: ({ proposal_id: id }: Proposal) =>
      ask('POST /v1/models/proposals/{id}/approve', { path: { id } }),
    onSettled: renew,
  });
  const columns: readonly Column<Proposal>[] = [
    { id: 'to', header: 'To', cell: ({ to }) => <strong>{toWords(to)}</strong> },
    { id: 'corridor', header: 'Corridor', cell: ({ corridor }) => corridor },
    {
      ...{ id: 'by', header: 'Proposed by' },
      cell: ({ proposed_by }) => <span className="clip short">{person(proposed_by)}</span>,
    },
    { id: 'at', header: 'When', from: 2, cell: ({ proposed_at }) => <Time at={proposed_at} /> },
    {
      ...{ id: 'actions', header: 'Actions' },
      cell: (proposal) => {
        if (!has(me, 'risk_officer')) return '–';
        // The API decides who is another person; this one would be refused.
        if (proposal.proposed_by === me.identity) return 'another person approves';
        return (
          <button
            type="button"
            disabled={approve.isPending}
            aria-label={`Approve ${proposal.to} in ${proposal.corridor}`}
            onClick={() => setAsked(proposal)}
          >
            Approve
          </button>
        );
      },
    },
  ];
  return (
    <>
      {approve.error === null ? null : <Trouble error={approve.error} />}
      {approve.isSuccess ? (
        <output className="notice">Approved: workers follow within two seconds.</output>
      ) : null}
      {proposals.length === 0 ? (
        <p className="muted">
          No proposal waits. A risk officer proposes the next step, and another one approves it
          within seven days.
        </p>
      ) : (
        <DataTable
          label="Proposals"
          columns={columns}
          rows={proposals}
          keyOf={(one) => one.proposal_id}
        />
      )}
      {asked === undefined ? null : (
        <Confirm
          title="Approve a proposal"
          action="Approve"
          onConfirm={() => approve.mutate(asked)}
          onClose={() => setAsked(undefined)}
        >
          <p>
            The model becomes {toWords(asked.to)} in {asked.corridor}, as{' '}
            {person(asked.proposed_by)} proposed. The audit log keeps both of you.
          </p>
        </Confirm>
      )}
    </>
  );
}

/** Where the model decides, one person ends that at once. */
function RollBack({ model: { corridors } }: Pick<Props, 'model'>) {
  const renew = useRenew();
  const [asked, setAsked] = useState<string>();
  const rollBack = useMutation({
    mutationFn: (corridor: string) => ask('POST /v1/models/rollback', { body: { corridor } }),
    onSettled: renew,
  });
  const deciding = corridors.filter(({ state }) => state === 'canary' || state === 'active');
  if (deciding.length === 0 && rollBack.data === undefined) return null;
  return (
    <>
      {rollBack.error === null ? null : <Trouble error={rollBack.error} />}
      <div className="row">
        {deciding.map(({ corridor }) => (
          <button
            key={corridor}
            type="button"
            className="danger"
            disabled={rollBack.isPending}
            onClick={() => setAsked(corridor)}
          >
            Roll back {corridor}
          </button>
        ))}
        {rollBack.isSuccess ? <output>Rolled back.</output> : null}
      </div>
      {asked === undefined ? null : (
        <Confirm
          title={`Roll back ${asked}`}
          action="Roll back"
          isDangerous
          onConfirm={() => rollBack.mutate(asked)}
          onClose={() => setAsked(undefined)}
        >
          <p>
            The canary of {asked} ends at once. Where there is none, the model that was active
            before is active again, or the rules decide alone.
          </p>
        </Confirm>
      )}
    </>
  );
}
