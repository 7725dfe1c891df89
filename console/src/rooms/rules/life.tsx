/** The way of a rule set: its author submits it, another person confirms it, two people roll it out, one rolls it back. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { Me, RuleSetDetail } from '../../../../src/kit/client/api-types.ts';
import { ask } from '../../api/ask.ts';
import { has } from '../../api/me.ts';
import { person } from '../../format.ts';
import { APPROVALS } from '../../parts/approvals.tsx';
import { type Column, DataTable } from '../../parts/data-table.tsx';
import { Modal } from '../../parts/dialog.tsx';
import { Part } from '../../parts/page.tsx';
import { Propose, RollBack, toWords } from '../../parts/rollout.tsx';
import { Time } from '../../parts/show.tsx';
import { Trouble } from '../../parts/states.tsx';
import { nameOf } from '../review/cases.ts';
import { Shadows } from './shadows.tsx';

type Props = { readonly detail: RuleSetDetail; readonly me: Me };
const STATES = ['shadow', 'canary', 'active'] as const;

function useRenew(id: string) {
  const client = useQueryClient();
  const keys = [['rule-set', id], ['rule-sets'], ['rule-outcomes'], [APPROVALS]];
  return () => Promise.all(keys.map((queryKey) => client.invalidateQueries({ queryKey })));
}

/** The next step of the rule set, for who may take it. */
export function NextStep({ detail, me }: Props) {
  const { state, author } = detail;
  const [asked, setAsked] = useState<'submit' | 'retire'>();
  const isOwn = author === nameOf(me);
  const isOfficer = has(me, 'risk_officer');
  const button = (step: NonNullable<typeof asked>, text: string, className = '') => (
    <button type="button" className={className} onClick={() => setAsked(step)}>
      {text} …
    </button>
  );
  return (
    <>
      {state === 'draft' && isOwn ? button('submit', 'Submit', 'primary') : null}
      {isOfficer && state !== 'retired' && state !== 'built-in' ? button('retire', 'Retire') : null}
      {asked === undefined ? null : (
        <Step id={detail.rule_set} step={asked} onClose={() => setAsked(undefined)} />
      )}
    </>
  );
}

const STEPS = {
  submit: {
    ...{ action: 'Submit', title: (id: string) => `Submit ${id}` },
    says: 'It changes no more, and waits for another person.',
  },
  retire: {
    ...{ action: 'Retire', title: (id: string) => `Retire ${id}` },
    says: 'Nobody can roll it out any more. Its scores are still explained and verified.',
  },
} as const;

type StepProps = {
  readonly id: string;
  readonly step: keyof typeof STEPS;
  readonly onClose: () => void;
};

function Step({ id, step, onClose }: StepProps) {
  const renew = useRenew(id);
  const { action, title, says } = STEPS[step];
  const take = useMutation({
    mutationFn: (isMeant: boolean): Promise<unknown> => {
      const path = { id };
      if (step === 'retire') return ask('POST /v1/rule-sets/{id}/retire', { path });
      const query = isMeant ? { accept_declines: true } : {};
      return ask('POST /v1/rule-sets/{id}/submit', { path, query });
    },
    onSuccess: () => {
      onClose();
      return renew();
    },
  });
  /** The API has said that the rule set would decline many, and that a second word submits it. */
  const isAskedAgain = take.error?.message.includes('accept_declines') === true;
  return (
    <Modal title={title(id)} isHeld={take.isPending} onClose={onClose}>
      <p>{says}</p>
      {take.error === null ? null : <Trouble error={take.error} />}
      <div className="row end">
        <button type="button" disabled={take.isPending} onClick={onClose}>
          Cancel
        </button>
        <button
          type="button"
          className={step === 'retire' || isAskedAgain ? 'danger' : 'primary'}
          disabled={take.isPending}
          onClick={() => take.mutate(isAskedAgain)}
        >
          {take.isPending ? 'Sending …' : isAskedAgain ? 'Submit all the same' : action}
        </button>
      </div>
    </Modal>
  );
}

type Decided = RuleSetDetail['rollouts'][number];
const COLUMNS: readonly Column<Decided>[] = [
  { id: 'at', header: 'When', cell: ({ created_at }) => <Time at={created_at} /> },
  { id: 'corridor', header: 'Corridor', cell: ({ corridor }) => corridor },
  { id: 'to', header: 'To', cell: ({ to }) => toWords(to) },
  { id: 'cause', header: 'Cause', from: 2, cell: ({ cause }) => cause },
  { id: 'by', header: 'Proposed by', from: 2, cell: (row) => person(row.proposed_by) },
  { id: 'and', header: 'Approved by', from: 2, cell: (row) => person(row.approved_by ?? '–') },
  { id: 'reason', header: 'Reason', from: 3, cell: ({ reason }) => reason ?? '–' },
];

/** Where it decides, and how that changes. */
export function RuleSetRollout({ detail, me }: Props) {
  const { rule_set: id, state, stage, rollouts, corridors } = detail;
  const renew = useRenew(id);
  const path = { id };
  if (state !== 'approved' && rollouts.length === 0) return null;
  const deciding = corridors.filter(({ to }) => to === 'active' || to.startsWith('canary'));
  const isOfficer = has(me, 'risk_officer') && state === 'approved';
  return (
    <Part title="Rollout">
      {isOfficer ? (
        <>
          <Propose
            stage={stage}
            states={STATES}
            propose={(body) => ask('POST /v1/rule-sets/{id}/rollout', { path, body })}
            renew={renew}
          />
          <RollBack
            corridors={deciding.map(({ corridor }) => corridor)}
            rollBack={(corridor) =>
              ask('POST /v1/rule-sets/{id}/rollback', { path, body: { corridor } })
            }
            renew={renew}
          >
            {(corridor) =>
              `${id} decides no more in ${corridor}: what decided before does so again, in every worker within two seconds.`
            }
          </RollBack>
        </>
      ) : null}
      <Shadows detail={detail} />
      {rollouts.length === 0 ? null : (
        <DataTable
          label="Decisions"
          columns={COLUMNS}
          rows={rollouts}
          keyOf={({ created_at, corridor, to }) => `${created_at} ${corridor} ${to}`}
        />
      )}
    </Part>
  );
}
