/** Rule sets with their states and people, and how a draft begins: as a copy of another rule set. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { Link, useLocation } from 'wouter';
import type { RuleSet } from '../../../../src/kit/client/api-types.ts';
import { ask } from '../../api/ask.ts';
import { has, useMe } from '../../api/me.ts';
import { person } from '../../format.ts';
import { type Column, DataTable } from '../../parts/data-table.tsx';
import { Modal } from '../../parts/dialog.tsx';
import { Field } from '../../parts/field.tsx';
import { Part } from '../../parts/page.tsx';
import { toWords } from '../../parts/rollout.tsx';
import { Badge, type Level, Time } from '../../parts/show.tsx';
import { Trouble } from '../../parts/states.tsx';
import { bodyOf } from './source.ts';
import { sourceOf } from './use-draft.ts';

export const RULE_SETS = {
  queryKey: ['rule-sets'],
  queryFn: ({ signal }: { readonly signal: AbortSignal }) => ask('GET /v1/rule-sets', {}, signal),
} as const;

const LEVELS: Readonly<Record<RuleSet['state'], Level>> = {
  'built-in': 'unknown',
  draft: 'unknown',
  submitted: 'warning',
  approved: 'fine',
  retired: 'unknown',
};

export const hrefOf = (id: string) => `/rules/${encodeURIComponent(id)}`;

export function State({
  ruleSet: { state, in_force },
}: {
  readonly ruleSet: Pick<RuleSet, 'state' | 'in_force'>;
}) {
  return (
    <span className="row">
      <Badge level={LEVELS[state]}>{state}</Badge>
      {in_force ? <Badge level="fine">in force</Badge> : null}
    </span>
  );
}

/** Where people have rolled it out, as `US-EG canary 5 %`. */
export function Where({ ruleSet }: { readonly ruleSet: Pick<RuleSet, 'corridors' | 'in_force'> }) {
  const { corridors, in_force } = ruleSet;
  if (corridors.length === 0) {
    return <span className="muted">{in_force ? 'where no other is' : 'nowhere'}</span>;
  }
  return corridors.map(({ corridor, to }) => `${corridor} ${toWords(to)}`).join(', ');
}

const COLUMNS: readonly Column<RuleSet>[] = [
  {
    ...{ id: 'name', header: 'Rule set' },
    cell: ({ rule_set }) => <Link href={hrefOf(rule_set)}>{rule_set}</Link>,
  },
  { id: 'state', header: 'State', cell: (ruleSet) => <State ruleSet={ruleSet} /> },
  {
    ...{ id: 'where', header: 'Where', from: 2 },
    cell: (ruleSet) => (
      <span className="wrap">
        <Where ruleSet={ruleSet} />
      </span>
    ),
  },
  { id: 'author', header: 'Author', from: 2, cell: ({ author }) => person(author ?? '–') },
  { id: 'by', header: 'Approved by', from: 3, cell: (row) => person(row.approved_by ?? '–') },
  { id: 'at', header: 'Made', from: 3, cell: ({ created_at }) => <Time at={created_at} /> },
];

export function RuleSets({ items }: { readonly items: readonly RuleSet[] }) {
  const { data: me } = useMe();
  const [isAsked, setAsked] = useState(false);
  const current = items.find(({ in_force }) => in_force);
  const isWriter = me !== undefined && me !== null && has(me, 'analyst', 'risk_officer');
  return (
    <Part
      title="Rule sets"
      aside={
        isWriter && current !== undefined ? (
          <button type="button" onClick={() => setAsked(true)}>
            New draft …
          </button>
        ) : null
      }
    >
      <DataTable
        label="Rule sets"
        columns={COLUMNS}
        rows={items}
        keyOf={({ rule_set }) => rule_set}
      />
      {isAsked && current !== undefined ? (
        <NewDraft of={current.rule_set} onClose={() => setAsked(false)} />
      ) : null}
    </Part>
  );
}

type NewDraftProps = { readonly of: string; readonly onClose: () => void };

/** A draft that begins as a copy. */
export function NewDraft({ of, onClose }: NewDraftProps) {
  const [, go] = useLocation();
  const client = useQueryClient();
  const [name, setName] = useState('');
  const make = useMutation({
    mutationFn: async (id: string) => {
      const found = await ask('GET /v1/rule-sets/{id}', { path: { id: of } });
      const body = bodyOf({ ...sourceOf(found), id });
      return await ask('POST /v1/rule-sets', { body });
    },
    onSuccess: ({ rule_set }) => {
      void client.invalidateQueries({ queryKey: RULE_SETS.queryKey });
      go(hrefOf(rule_set));
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    make.mutate(name.trim());
  };
  return (
    <Modal title={`New draft, a copy of ${of}`} isHeld={make.isPending} onClose={onClose}>
      <form className="dialog-form" onSubmit={submit}>
        <Field
          label="Name and version"
          value={name}
          onChange={setName}
          placeholder="careful@1"
          isRequired
          hint="As name@version. Scores bear this name for ever."
        />
        {make.error === null ? null : <Trouble error={make.error} />}
        <div className="row end">
          <button type="button" disabled={make.isPending} onClick={onClose}>
            Cancel
          </button>
          <button type="submit" className="primary" disabled={make.isPending}>
            {make.isPending ? 'Making …' : 'Make the draft'}
          </button>
        </div>
      </form>
    </Modal>
  );
}
