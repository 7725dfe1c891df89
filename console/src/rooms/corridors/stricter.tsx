/** Stricter verdicts of a corridor: what is in force, and the way to set and to end it. */
import { useState } from 'react';
import type { Me, Stop } from '../../../../src/kit/client/api-types.ts';
import { ask } from '../../api/ask.ts';
import { has } from '../../api/me.ts';
import { person } from '../../format.ts';
import { type Column, DataTable } from '../../parts/data-table.tsx';
import { Field } from '../../parts/field.tsx';
import { Part } from '../../parts/page.tsx';
import { Time } from '../../parts/show.tsx';
import { Empty } from '../../parts/states.tsx';
import { ChangeDialog } from './change-dialog.tsx';
import { Ends, endsAt } from './stop-fields.tsx';

const KINDS = {
  tighten: {
    title: 'Tighten',
    what: 'The thresholds of review and decline get lower by these points, each to half at least.',
    value: 'Points',
    valueHint: 'From 1 to 500.',
    say: ({ value = 0 }: Stop) => `thresholds lower by ${value} points`,
  },
  manual: {
    title: 'Review by hand',
    what: 'People review what would be approved, from this amount on.',
    value: 'From amount',
    valueHint: 'In the currency of the market; other payments by the newest rates.',
    say: ({ value = 0, currency = '' }: Stop) => `reviewed by hand from ${value} ${currency} on`,
  },
} as const;
type Kind = keyof typeof KINDS;

const kindOf = (scope: string): Kind => (scope.startsWith('manual:') ? 'manual' : 'tighten');

type StricterProps = {
  readonly corridor: string;
  readonly stops: readonly Stop[];
  readonly me: Me;
};

export function StricterPart({ corridor, stops, me }: StricterProps) {
  const [asked, setAsked] = useState<Kind | Stop>();
  const buttons = (['tighten', 'manual'] as const).map((kind) => (
    <button key={kind} type="button" onClick={() => setAsked(kind)}>
      {KINDS[kind].title} …
    </button>
  ));
  const mayEnd = has(me, 'risk_officer') || me.roles.includes('admin');
  return (
    <Part
      title="Stricter verdicts"
      aside={has(me, 'operator', 'risk_officer') ? buttons : undefined}
    >
      {stops.length === 0 ? (
        <Empty title="No verdict is stricter than the rules say" />
      ) : (
        <DataTable
          label="Stricter verdicts"
          columns={mayEnd ? [...COLUMNS, endColumn(setAsked)] : COLUMNS}
          rows={stops}
          keyOf={({ scope }) => scope}
        />
      )}
      {asked === undefined ? null : typeof asked === 'string' ? (
        <SetDialog corridor={corridor} kind={asked} onClose={() => setAsked(undefined)} />
      ) : (
        <ChangeDialog
          title={`End: ${KINDS[kindOf(asked.scope)].say(asked)}`}
          action="End"
          onSend={(reason, signal) => {
            const body = { stopped: false, reason };
            return ask('PUT /v1/switches/{scope}', { path: { scope: asked.scope }, body }, signal);
          }}
          onClose={() => setAsked(undefined)}
        />
      )}
    </Part>
  );
}

const COLUMNS: readonly Column<Stop>[] = [
  {
    id: 'what',
    header: 'In force',
    cell: (stop) => <strong className="wrap">{KINDS[kindOf(stop.scope)].say(stop)}</strong>,
  },
  {
    id: 'since',
    header: 'Since, by',
    cell: (stop) => (
      <span className="wrap">
        <Time at={stop.stopped_at} />, {person(stop.stopped_by)}: {stop.reason}
      </span>
    ),
  },
  { id: 'ends', header: 'Until', cell: ({ ends_at }) => <Time at={ends_at} /> },
];

const endColumn = (onEnd: (stop: Stop) => void): Column<Stop> => ({
  id: 'end',
  header: 'Actions',
  cell: (stop) => (
    <button
      type="button"
      aria-label={`End ${KINDS[kindOf(stop.scope)].title}`}
      onClick={() => onEnd(stop)}
    >
      End …
    </button>
  ),
});

type SetDialogProps = {
  readonly corridor: string;
  readonly kind: Kind;
  readonly onClose: () => void;
};

function SetDialog({ corridor, kind, onClose }: SetDialogProps) {
  const [value, setValue] = useState('');
  const [minutes, setMinutes] = useState('');
  const { title, what, value: label, valueHint } = KINDS[kind];
  const path = { id: corridor };
  return (
    <ChangeDialog
      title={`${title}: ${corridor}`}
      action={title}
      isBlocked={value === '' || minutes === ''}
      onSend={(reason, signal) => {
        const said = { reason, ends_at: endsAt(minutes) };
        return kind === 'tighten'
          ? ask(
              'POST /v1/corridors/{id}/tighten',
              { path, body: { points: Number(value), ...said } },
              signal,
            )
          : ask(
              'POST /v1/corridors/{id}/manual',
              { path, body: { from_amount: value, ...said } },
              signal,
            );
      }}
      onClose={onClose}
    >
      <p>{what} The name of the rule set in each score says so.</p>
      <Field label={label} value={value} onChange={setValue} isNumber isRequired hint={valueHint} />
      <Ends
        minutes={minutes}
        onChange={setMinutes}
        isRequired
        hint="Seven days (10,080) at most."
      />
    </ChangeDialog>
  );
}
