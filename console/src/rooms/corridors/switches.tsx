/** All that is stopped, frozen, limited and turned off: since when, by whom, why, what waits for it, and the way to change it. */
import { useState } from 'react';
import type { Me, Stop, Switches } from '../../../../src/kit/client/api-types.ts';
import { has } from '../../api/me.ts';
import { useSwitches } from '../../api/switches.ts';
import { count, person } from '../../format.ts';
import { type Column, DataTable } from '../../parts/data-table.tsx';
import { Page, Part } from '../../parts/page.tsx';
import { Time } from '../../parts/show.tsx';
import { Empty, Found } from '../../parts/states.tsx';
import { useShortcuts } from '../../shell/shortcuts.ts';
import { nameOf as personOf } from '../review/cases.ts';
import { FlagsPart } from './flags.tsx';
import { Frozen } from './freezes.tsx';
import { LevelsPart } from './levels.tsx';
import { LimitsPart } from './limits.tsx';
import { ProposalsPart } from './proposals.tsx';
import { RollbackPart } from './rollback.tsx';
import { isFreeze, nameOf, whoElseEnds } from './scopes.ts';
import { type Change, SwitchDialog } from './switch-dialog.tsx';

const STOPS = [
  ['c', 'corridor', 'Stop a corridor'],
  ['m', 'market', 'Stop the market'],
  ['l', 'client', 'Stop a client'],
] as const;

export function SwitchesPage({ me }: { readonly me: Me }) {
  const query = useSwitches();
  const [change, setChange] = useState<Change>();
  const mayChange = has(me, 'operator', 'risk_officer');
  useShortcuts(
    mayChange
      ? Object.fromEntries(STOPS.map(([key, kind]) => [key, () => setChange({ stops: kind })]))
      : {},
  );
  const buttons = STOPS.map(([key, kind, title]) => (
    <button key={key} type="button" onClick={() => setChange({ stops: kind })}>
      {title} <kbd>{key}</kbd>
    </button>
  ));
  return (
    <Page title="Switches" aside={mayChange ? buttons : undefined}>
      <ProposalsPart me={me} />
      <Found query={query} what="switches">
        {(switches) => (
          <>
            <Stopped
              me={me}
              stops={switches.items.filter(({ scope }) => !isFreeze(scope))}
              {...(mayChange ? { onStart: (starts: Stop) => setChange({ starts }) } : {})}
            />
            <Frozen switches={switches} me={me} />
            <OnHold rows={switches.on_hold} />
            {switches.items.some(({ scope }) => scope === 'freeze:market') ? (
              <RollbackPart market={switches.market} me={me} />
            ) : null}
          </>
        )}
      </Found>
      <LevelsPart me={me} />
      <LimitsPart me={me} />
      <FlagsPart me={me} />
      {change === undefined ? null : (
        <SwitchDialog change={change} onClose={() => setChange(undefined)} />
      )}
    </Page>
  );
}

const COLUMNS: readonly Column<Stop>[] = [
  { id: 'scope', header: 'Stopped', cell: ({ scope }) => <strong>{nameOf(scope)}</strong> },
  {
    id: 'since',
    header: 'Since, by',
    cell: (stop) => (
      <span className="wrap">
        <Time at={stop.stopped_at} />, {person(stop.stopped_by)}
      </span>
    ),
  },
  { id: 'reason', header: 'Reason', cell: (stop) => <span className="wrap">{stop.reason}</span> },
  {
    id: 'message',
    header: 'Clients read',
    from: 3,
    cell: ({ message }) => <span className="wrap">{message ?? '–'}</span>,
  },
  {
    id: 'ends',
    header: 'Until',
    cell: ({ ends_at: endsAt }) => (endsAt === null ? 'somebody starts it' : <Time at={endsAt} />),
  },
];

type StoppedProps = {
  readonly me: Me;
  readonly stops: readonly Stop[];
  readonly onStart?: (stop: Stop) => void;
};

function Stopped({ me, stops, onStart }: StoppedProps) {
  const start: Column<Stop> = {
    id: 'start',
    header: 'Actions',
    cell: (stop) => {
      if (stop.stopped_by === 'environment') return null;
      const others = whoElseEnds(stop, me, personOf(me));
      if (others !== undefined) return <span className="muted wrap">{others} starts it</span>;
      return (
        <button
          type="button"
          aria-label={`Start ${nameOf(stop.scope)}`}
          onClick={() => onStart?.(stop)}
        >
          Start …
        </button>
      );
    },
  };
  return (
    <Part title="Stopped">
      {stops.length === 0 ? (
        <Empty title="Nothing is stopped">Every corridor accepts and scores.</Empty>
      ) : (
        <DataTable
          label="Stopped"
          columns={onStart === undefined ? COLUMNS : [...COLUMNS, start]}
          rows={stops}
          keyOf={({ scope, stopped_by }) => `${scope} ${stopped_by}`}
        />
      )}
    </Part>
  );
}

type Waiting = Switches['on_hold'][number];
const WAITING: readonly Column<Waiting>[] = [
  { id: 'corridor', header: 'Corridor', cell: ({ corridor }) => <strong>{corridor}</strong> },
  {
    id: 'transactions',
    header: 'Transactions',
    numeric: true,
    cell: ({ transactions }) => count(transactions),
  },
];

function OnHold({ rows }: { readonly rows: readonly Waiting[] }) {
  return (
    <Part title="On hold">
      {rows.length === 0 ? (
        <Empty title="No transaction is on hold">
          What a worker had read when its corridor stopped waits here.
        </Empty>
      ) : (
        <DataTable
          label="On hold"
          columns={WAITING}
          rows={rows}
          keyOf={({ corridor }) => corridor}
        />
      )}
    </Part>
  );
}
