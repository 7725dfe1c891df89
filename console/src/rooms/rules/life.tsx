/** The way of a rule set: its author submits it, another person approves it, two people roll it out, one rolls it back. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import type { Me, RuleSetDetail } from '../../../../src/kit/client/api-types.ts';
import { ask } from '../../api/ask.ts';
import { has } from '../../api/me.ts';
import { person } from '../../format.ts';
import { type Column, DataTable } from '../../parts/data-table.tsx';
import { Modal } from '../../parts/dialog.tsx';
import { Part } from '../../parts/page.tsx';
import { Proposals, Propose, RollBack, toWords } from '../../parts/rollout.tsx';
import { Time } from '../../parts/show.tsx';
import { Found, Trouble } from '../../parts/states.tsx';
import { nameOf } from '../review/cases.ts';
import { Yesterday } from './preview.tsx';
import { Shadows } from './shadows.tsx';

type Props = { readonly detail: RuleSetDetail; readonly me: Me };
const STATES = ['shadow', 'canary', 'active'] as const;

function useRenew(id: string) {
  const client = useQueryClient();
  const keys = [['rule-set', id], ['rule-sets'], ['rule-outcomes']];
  return () => Promise.all(keys.map((queryKey) => client.invalidateQueries({ queryKey })));
}

/** The next step of the rule set, for who may take it. */
export function NextStep({ detail, me }: Props) {
  const { state, author } = detail;
  const [asked, setAsked] = useState<'submit' | 'approve' | 'retire'>();
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
      {state === 'submitted' && isOfficer && !isOwn
        ? button('approve', 'Approve', 'primary')
        : null}
      {state === 'submitted' && isOwn ? (
        <span className="muted">another person approves</span>
      ) : null}
      {isOfficer && state !== 'retired' && state !== 'built-in' ? button('retire', 'Retire') : null}
      {asked === undefined ? null : (
        <Step detail={detail} step={asked} onClose={() => setAsked(undefined)} me={me} />
      )}
    </>
  );
}

const STEPS = {
  submit: {
    ...{ action: 'Submit', title: (id: string) => `Submit ${id}` },
    says: 'It changes no more, and waits for another person. What yesterday would have been:',
  },
  approve: {
    ...{ action: 'Approve', title: (id: string) => `Approve ${id}` },
    says: 'It may then be rolled out. The audit log keeps both people. What yesterday would have been:',
  },
  retire: {
    ...{ action: 'Retire', title: (id: string) => `Retire ${id}` },
    says: 'Nobody can roll it out any more. Its scores are still explained and verified.',
  },
} as const;

type StepProps = Props & {
  readonly step: keyof typeof STEPS;
  readonly onClose: () => void;
};

function Step({ detail, step, me, onClose }: StepProps) {
  const { rule_set: id, sha256 } = detail;
  const renew = useRenew(id);
  const [isMeant, setMeant] = useState(false);
  const { action, title, says } = STEPS[step];
  const take = useMutation({
    mutationFn: () => {
      const path = { id };
      if (step === 'approve') return ask('POST /v1/rule-sets/{id}/approve', { path });
      if (step === 'retire') return ask('POST /v1/rule-sets/{id}/retire', { path });
      const query = isMeant ? { accept_declines: true } : {};
      return ask('POST /v1/rule-sets/{id}/submit', { path, query });
    },
    onSuccess: () => {
      onClose();
      return renew();
    },
  });
  return (
    <Modal title={title(id)} isHeld={take.isPending} onClose={onClose}>
      <p>{says}</p>
      {step === 'retire' || !has(me, 'analyst', 'risk_officer') ? null : (
        <History id={id} sha256={sha256}>
          {(refusal) =>
            step === 'submit' && refusal !== null ? (
              <label className="row">
                <input
                  type="checkbox"
                  checked={isMeant}
                  onChange={({ target }) => setMeant(target.checked)}
                />
                {refusal}: it is meant to.
              </label>
            ) : null
          }
        </History>
      )}
      {take.error === null ? null : <Trouble error={take.error} />}
      <div className="row end">
        <button type="button" disabled={take.isPending} onClick={onClose}>
          Cancel
        </button>
        <button
          type="button"
          className={step === 'retire' ? 'danger' : 'primary'}
          disabled={take.isPending}
          onClick={() => take.mutate()}
        >
          {take.isPending ? 'Sending …' : action}
        </button>
      </div>
    </Modal>
  );
}

type HistoryProps = Pick<RuleSetDetail, 'sha256'> & {
  readonly id: string;
  /** @param refusal why the API refuses the submission without a word of its own */
  readonly children: (refusal: string | null) => ReactNode;
};

/** Frauds and good customers of yesterday, before somebody decides about the rule set. */
function History({ id, sha256, children }: HistoryProps) {
  const query = useQuery({
    queryKey: ['rule-set-preview', sha256],
    queryFn: ({ signal }) => ask('POST /v1/rule-sets/preview', { body: { rule_set: id } }, signal),
    staleTime: 60_000,
  });
  return (
    <Found query={query} what="what yesterday would have been">
      {(preview) => (
        <>
          <Yesterday preview={preview} />
          {children(preview.refusal)}
        </>
      )}
    </Found>
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
  const { rule_set: id, state, stage, proposals, rollouts, corridors } = detail;
  const renew = useRenew(id);
  const path = { id };
  if (state !== 'approved' && rollouts.length === 0) return null;
  const rollOut = (body: { corridor: string; to: string; override?: string }) =>
    ask('POST /v1/rule-sets/{id}/rollout', { path, body });
  const deciding = corridors.filter(({ to }) => to === 'active' || to.startsWith('canary'));
  const isOfficer = has(me, 'risk_officer') && state === 'approved';
  return (
    <Part title="Rollout">
      <Proposals
        {...{ proposals, me, what: 'rule set', renew }}
        approve={({ corridor, to }) => rollOut({ corridor, to })}
      />
      {isOfficer ? (
        <>
          <Propose
            stage={stage}
            states={STATES}
            propose={async (wanted) =>
              (await rollOut(wanted)).proposal === null ? 'in force' : 'proposed'
            }
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
