/** The newest table of the day, or an earlier one: all that the market has learnt in that night. */
import { useQuery } from '@tanstack/react-query';
import { useLocation } from 'wouter';
import type { Me, Scorecard, ScorecardTable } from '../../../../src/kit/client/api-types.ts';
import { ask } from '../../api/ask.ts';
import { usePolling } from '../../api/presence.ts';
import { count, percent } from '../../format.ts';
import { Choice } from '../../parts/field.tsx';
import { Page, Part } from '../../parts/page.tsx';
import { Empty, Found } from '../../parts/states.tsx';
import { Tiles } from '../../parts/tiles.tsx';
import { Nights } from './nights.tsx';
import { Policies } from './policy.tsx';
import { Measures, Since } from './scorecard-measures.tsx';
import { Labels, Rules, Weeks } from './scorecard-outcomes.tsx';

/** Longer: people learn late that a table waits or was taken. Shorter: each open page asks more often. */
const ASK_EVERY_MS = 5000;

/** @param day of the table; absent: the newest */
export function ScorecardsPage({ day, me }: { readonly day?: string; readonly me: Me }) {
  const query = useQuery({
    queryKey: ['scorecards'],
    queryFn: ({ signal }) => ask('GET /v1/scorecards', {}, signal),
    refetchInterval: usePolling(ASK_EVERY_MS),
  });
  const heads = query.data?.items ?? [];
  const shown = day ?? heads[0]?.day;
  return (
    <Page title="Scorecards" aside={<Days heads={heads} shown={shown} />}>
      <Policies me={me} />
      <Nights heads={heads} me={me} />
      <Found query={query} what="the tables">
        {() => (shown === undefined ? <NoTable /> : <Table key={shown} day={shown} />)}
      </Found>
    </Page>
  );
}

function NoTable() {
  return (
    <Empty title="No table of the day is built yet">
      A trainer builds the first one in the night, from 00:10 UTC on;{' '}
      <code>bin/risk scorecard build</code> builds it now.
    </Empty>
  );
}

function Days({
  heads,
  shown,
}: {
  readonly heads: readonly Scorecard[];
  readonly shown: string | undefined;
}) {
  const [, go] = useLocation();
  if (shown === undefined) return null;
  const days = heads.map(({ day }) => day);
  return (
    <Choice label="Day" value={shown} onChange={(day) => go(`/scorecards/${day}`)}>
      {(days.includes(shown) ? days : [shown, ...days]).map((day) => (
        <option key={day}>{day}</option>
      ))}
    </Choice>
  );
}

function Table({ day }: { readonly day: string }) {
  const query = useQuery({
    queryKey: ['scorecard', day],
    queryFn: ({ signal }) => ask('GET /v1/scorecards/{day}', { path: { day } }, signal),
    // A table never changes.
    staleTime: Number.POSITIVE_INFINITY,
  });
  return (
    <Found query={query} what="the table">
      {(table) => (
        <>
          <Summary table={table} />
          {table.frauds < table.frauds_needed ? <Unlearnt table={table} /> : null}
          {table.frauds < table.frauds_needed ? null : <Measures table={table} />}
          <div className="pair">
            <Since table={table} />
            <Labels table={table} />
          </div>
          <Weeks table={table} />
          <Rules table={table} />
        </>
      )}
    </Found>
  );
}

function Summary({ table }: { readonly table: ScorecardTable }) {
  const { frauds, payments, before, labels, weeks, slope, label_slope: ofLabels } = table;
  const sum = (of: (week: (typeof weeks)[number]) => number) =>
    weeks.reduce((total, week) => total + of(week), 0);
  const since =
    before === null ? 'in 180 days' : `${change(frauds - before.frauds)} since ${before.day}`;
  const caught = sum(({ scorecard }) => scorecard.caught);
  const soon = labels.find(({ within_days }) => within_days === 7)?.share;
  return (
    <Tiles
      label="The table"
      tiles={[
        ['Known frauds', count(frauds), since],
        ['Payments', count(payments), 'in the 90 days before'],
        ['Weight of the rules', slope.toFixed(2), `${ofLabels.toFixed(2)} where they read labels`],
        ['Labels within a week', soon === undefined ? '–' : percent(soon), 'of frauds'],
        weeks.length === 0
          ? ['Caught', '–', 'no week has matured']
          : [
              'Caught',
              `${count(caught)} of ${count(sum((week) => week.frauds))}`,
              `${count(sum(({ decided }) => decided.caught))} by what decided`,
            ],
      ]}
    />
  );
}

export const change = (value: number) => `${value < 0 ? '−' : '+'}${count(Math.abs(value))}`;

function Unlearnt({
  table: { frauds, frauds_needed: needed },
}: {
  readonly table: ScorecardTable;
}) {
  return (
    <Part title="What is missing">
      <Empty title={`${count(frauds)} of ${count(needed)} known frauds`}>
        From {count(needed)} on the table learns; until then the margin is that of the rules alone.
        Frauds of 180 days count whose labels had time to come: mark them on their transactions, or
        send labels with <code>bin/risk labels import</code>.
      </Empty>
    </Part>
  );
}
