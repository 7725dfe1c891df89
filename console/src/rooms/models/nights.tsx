/** The newest nights: how many verdicts each table changes, whether it judges, and what people may do about it. */
import { useState } from 'react';
import type { ListedControl, Me, Scorecard } from '../../../../src/kit/client/api-types.ts';
import { ask } from '../../api/ask.ts';
import { useControls } from '../../api/controls.ts';
import { has } from '../../api/me.ts';
import { count, percent } from '../../format.ts';
import { type Column, DataTable } from '../../parts/data-table.tsx';
import { Part } from '../../parts/page.tsx';
import { Badge } from '../../parts/show.tsx';
import { ChangeDialog } from '../corridors/change-dialog.tsx';
import { EndDialog } from '../corridors/control-dialog.tsx';

/** Two weeks, as a table that is older than seven days decides nothing. */
const NIGHTS_SHOWN = 14;

type State = 'taken' | 'waits' | 'refused';
type Night = Scorecard & {
  readonly state: State;
  /** The control by which the table is refused. */
  readonly stop: ListedControl | undefined;
  /** False for a table that is older than the newest table in use, as it judges nothing whatever people do. */
  readonly matters: boolean;
};

const LEVELS = { taken: 'fine', waits: 'warning', refused: 'unknown' } as const;
const STEPS = {
  taken: { name: 'Refuse', roles: ['operator', 'risk_officer'] },
  waits: { name: 'Take', roles: ['risk_officer'] },
  refused: { name: 'Allow', roles: ['operator', 'risk_officer'] },
} as const;

const COLUMNS: readonly Column<Night>[] = [
  {
    ...{ id: 'day', header: 'Judges from' },
    cell: ({ day }) => <span className="number">{day}</span>,
  },
  {
    id: 'state',
    header: 'State',
    cell: ({ state }) => <Badge level={LEVELS[state]}>{state}</Badge>,
  },
  {
    ...{ id: 'differs', header: 'Verdicts that differ', numeric: true },
    cell: ({ differs }) => (differs === null ? '–' : percent(differs)),
  },
  {
    ...{ id: 'frauds', header: 'Known frauds', numeric: true, from: 2 },
    cell: ({ frauds }) => count(frauds),
  },
];

function toNights(heads: readonly Scorecard[], controls: readonly ListedControl[]): Night[] {
  let matters = true;
  return heads.slice(0, NIGHTS_SHOWN).map((head) => {
    const refused = `model:scorecard@${head.day}`;
    const stop = controls.find(({ kind, scope }) => kind === 'stop' && scope === refused);
    const state = stop !== undefined ? 'refused' : head.in_use ? 'taken' : 'waits';
    const night: Night = { ...head, state, stop, matters };
    if (state === 'taken') matters = false;
    return night;
  });
}

type NightsProps = { readonly heads: readonly Scorecard[]; readonly me: Me };

export function Nights({ heads, me }: NightsProps) {
  const [asked, setAsked] = useState<Night>();
  const controls = useControls().data?.items;
  if (controls === undefined || heads.length === 0) return null;
  const step: Column<Night> = {
    ...{ id: 'step', header: 'Step' },
    cell: (night) => {
      const { name, roles } = STEPS[night.state];
      return night.matters && has(me, ...roles) ? (
        <button type="button" aria-label={`${name} ${night.day}`} onClick={() => setAsked(night)}>
          {name}
        </button>
      ) : null;
    },
  };
  return (
    <Part title="Nights">
      <DataTable
        label="Nights"
        columns={[...COLUMNS, step]}
        rows={toNights(heads, controls)}
        keyOf={({ day }) => day}
      />
      {asked === undefined ? null : <Step night={asked} onClose={() => setAsked(undefined)} />}
    </Part>
  );
}

function Step({ night, onClose }: { readonly night: Night; readonly onClose: () => void }) {
  const { day, state, stop } = night;
  if (stop !== undefined) return <EndDialog control={stop} onClose={onClose} />;
  const scope = `model:scorecard@${day}`;
  const refuse = (reason: string, signal: AbortSignal) => {
    const body = { in_force: true, reason };
    return ask('PUT /v1/controls/{kind}/{scope}', { path: { kind: 'stop', scope }, body }, signal);
  };
  const take = (reason: string, signal: AbortSignal) =>
    ask('POST /v1/scorecards/{day}/proposals', { path: { day }, body: { reason } }, signal);
  const { name } = STEPS[state];
  return (
    <ChangeDialog
      title={`${name} the table of ${day}`}
      action={name}
      isDangerous={state === 'taken'}
      onSend={state === 'taken' ? refuse : take}
      onClose={onClose}
    >
      <p>
        {state === 'taken'
          ? 'The table before it judges within two seconds, until somebody allows this one again.'
          : 'Once another person confirms, the table judges payments of its day and later.'}
      </p>
    </ChangeDialog>
  );
}
