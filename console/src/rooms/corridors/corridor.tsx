/** A corridor: how it does, what people have set for it, its freezes, and whether it depends on others. */
import { useQuery } from '@tanstack/react-query';
import { Link } from 'wouter';
import type { CorridorState, Me } from '../../../../src/kit/client/api-types.ts';
import { ask } from '../../api/ask.ts';
import { CONTROLS } from '../../api/controls.ts';
import { has, sees } from '../../api/me.ts';
import { usePolling } from '../../api/presence.ts';
import { count, percent } from '../../format.ts';
import { type Column, DataTable } from '../../parts/data-table.tsx';
import { Page, Part } from '../../parts/page.tsx';
import { Badge, Facts, type Level, Time } from '../../parts/show.tsx';
import { Empty, Found } from '../../parts/states.tsx';
import { ChecklistPart } from './checklist.tsx';
import { CorridorControls } from './corridor-controls.tsx';
import { HEALTH_PARTS } from './health-parts.ts';
import { Investigation } from './investigation.tsx';
import { SettingsPart } from './settings.tsx';

/** The figures look at an hour, so a page that asks more often shows nothing new and counts more. */
const ASK_EVERY_MS = 10_000;

const STATES: Readonly<Record<CorridorState['state'], Level>> = {
  open: 'fine',
  'read-only': 'critical',
  frozen: 'critical',
  stopped: 'critical',
};

export function CorridorPage({ id, me }: { readonly id: string; readonly me: Me }) {
  const query = useQuery({
    queryKey: [...CONTROLS, 'corridor', id],
    queryFn: ({ signal }) => ask('GET /v1/corridors/{id}', { path: { id } }, signal),
    refetchInterval: usePolling(ASK_EVERY_MS),
  });
  const mayChange = has(me, 'operator', 'risk_officer');
  return (
    <Page title={`Corridor ${id}`} aside={<Links id={id} me={me} />}>
      <Found query={query} what="the corridor">
        {(corridor) =>
          'health' in corridor ? (
            <>
              <Now corridor={corridor} />
              <Health corridor={corridor} />
              <CorridorControls corridor={id} me={me} />
              <SettingsPart corridor={id} settings={corridor.settings} mayChange={mayChange} />
              <Investigation corridor={id} mayNote={mayChange} />
              <ChecklistPart corridor={id} />
            </>
          ) : (
            <Empty title={`It is ${corridor.state}`}>{corridor.message ?? ''}</Empty>
          )
        }
      </Found>
    </Page>
  );
}

function Links({ id, me }: { readonly id: string; readonly me: Me }) {
  const isReviewer = has(me, 'analyst', 'risk_officer');
  return (
    <>
      {sees(me, 'analyst') ? <Link href={`/transactions?corridor=${id}`}>Transactions</Link> : null}
      {isReviewer ? <Link href={`/review?corridor=${id}`}>Cases</Link> : null}
      <Link href="/controls">Controls</Link>
    </>
  );
}

function Now({ corridor }: { readonly corridor: CorridorState }) {
  const { state, pending, on_hold: onHold, availability, active_since: since } = corridor;
  return (
    <Facts
      rows={[
        [
          'State',
          <Badge key="state" level={STATES[state]}>
            {state}
          </Badge>,
        ],
        [
          'Value may be released',
          corridor.releases_held ? 'no, until the corridor is resumed' : 'yes',
        ],
        ['Pending', count(pending)],
        ['On hold', count(onHold)],
        [
          'Scored within 2 s, last hour',
          availability === null
            ? 'nothing was due'
            : `${percent(availability)} of ${count(corridor.availability_transactions)}`,
        ],
        [
          'Active accounts',
          <span key="accounts">
            {count(corridor.active_accounts)} since <Time at={since} />
          </span>,
        ],
      ]}
    />
  );
}

type HealthPart = { readonly name: keyof typeof HEALTH_PARTS; readonly value: number };

function Health({ corridor: { health } }: { readonly corridor: CorridorState }) {
  const rows = (Object.keys(HEALTH_PARTS) as (keyof typeof HEALTH_PARTS)[]).map((name) => ({
    name,
    value: health.parts[name],
  }));
  return (
    <Part title={`Health: ${health.score} of 100`}>
      <DataTable label="Health" columns={COLUMNS} rows={rows} keyOf={({ name }) => name} />
    </Part>
  );
}

const COLUMNS: readonly Column<HealthPart>[] = [
  { id: 'name', header: 'Part', cell: ({ name }) => <strong>{HEALTH_PARTS[name][0]}</strong> },
  {
    id: 'points',
    header: 'Points',
    numeric: true,
    cell: ({ name, value }) =>
      `${count(HEALTH_PARTS[name][1] * value)} of ${HEALTH_PARTS[name][1]}`,
  },
  {
    id: 'what',
    header: 'Looks at',
    cell: ({ name }) => <span className="wrap">{HEALTH_PARTS[name][2]}</span>,
  },
];
