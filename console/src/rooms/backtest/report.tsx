/** The report of a backtest, or of two beside each other: each version with its figures, money, flips, rules and thresholds. */
import type { ReactNode } from 'react';
import type { BacktestReport, BacktestVersion } from '../../../../src/kit/client/api-types.ts';
import { count, money, number } from '../../format.ts';
import { type Column, DataTable } from '../../parts/data-table.tsx';
import { Part } from '../../parts/page.tsx';
import { Verdict } from '../../parts/show.tsx';
import { Empty } from '../../parts/states.tsx';
import { Tiles } from '../../parts/tiles.tsx';
import { LABELS, type Labels, shareText } from './cells.tsx';
import { Flips } from './flips.tsx';
import { Rules } from './rules.tsx';
import { Tune } from './tune.tsx';

export function Report({ reports }: { readonly reports: readonly BacktestReport[] }) {
  const [first] = reports;
  if (first === undefined) return null;
  if (first.rows === 0) {
    return <Empty title="No row was decided">Nothing was scored then, or all was left out.</Empty>;
  }
  const versions = versionsOf(reports);
  // Reports are compared over two times, too, of one version.
  const parts = [...reports.entries()];
  return (
    <>
      {parts.map(([at, one]) => (
        <Part key={at} title={`${one.subject.version} instead of ${one.against.version}`}>
          <Changes report={one} />
        </Part>
      ))}
      <Part title="Figures">
        <Figures versions={versions} />
      </Part>
      <Part title="Verdicts by label">
        <div className="pair">
          {versions.map(({ version, confusion }) => (
            <DataTable
              key={version}
              label={`Verdicts of ${version}`}
              columns={[{ ...VERDICT, header: version }, ...LABELS]}
              rows={confusion}
              keyOf={({ verdict }) => verdict}
            />
          ))}
        </div>
      </Part>
      <Part title="Money">
        <DataTable
          label="Money"
          columns={MONEY}
          rows={versions.flatMap(({ version, money: all }) =>
            all.map((one) => ({ version, ...one })),
          )}
          keyOf={({ version, currency }) => `${version} ${currency}`}
        />
      </Part>
      <Tune reports={reports} />
      {parts.map(([at, one]) => (
        <Flips key={at} report={one} />
      ))}
      {parts.map(([at, one]) => (
        <Rules key={at} report={one} />
      ))}
    </>
  );
}

/** Versions in question first, and what they are compared with once. */
function versionsOf(reports: readonly BacktestReport[]): readonly BacktestVersion[] {
  const all = [...reports.map(({ subject }) => subject), ...reports.map(({ against }) => against)];
  const seen = all.map((one) => JSON.stringify(one));
  const different = all.filter((_, at) => seen.indexOf(seen[at] ?? '') === at);
  const names = different.map(({ version }) => version);
  return different.map((one, at) =>
    names.indexOf(one.version) === at ? one : { ...one, version: `${one.version} (${at + 1})` },
  );
}

function Changes({ report }: { readonly report: BacktestReport }) {
  const { changes, frauds, legitimates, rows, days, unlabelled, left_out } = report;
  const { inputs_not_recorded: lacking } = report;
  const ofFrauds = `of ${count(frauds)} frauds`;
  const ofGood = `of ${count(legitimates)}`;
  return (
    <>
      <Tiles
        label="Changes"
        tiles={[
          ['Frauds newly caught', count(changes.frauds_newly_caught), ofFrauds],
          ['Frauds newly missed', count(changes.frauds_newly_missed), ofFrauds],
          ['Good customers newly declined', count(changes.legitimate_newly_stopped), ofGood],
          ['No longer declined', count(changes.legitimate_no_longer_stopped), ofGood],
        ]}
      />
      <p className="muted small">
        {count(rows)} rows of {days === 1 ? 'one day' : `${count(days)} days`}, {count(unlabelled)}{' '}
        without a label. Caught is reviewed or declined; good customers have the label legitimate.
        {left_out.map((one) => ` Left out: ${count(one.rows)} of ${one.cause}.`).join('')}
        {lacking.map((one) => ` Missing on ${count(one.rows)}: ${one.input}.`).join('')}
      </p>
    </>
  );
}

const sum = ({ confusion }: BacktestVersion, label: keyof Labels, from: 0 | 1 | 2) =>
  confusion.slice(from).reduce((total, row) => total + row[label], 0);

type Figure = {
  readonly name: string;
  readonly cell: (version: BacktestVersion) => ReactNode;
};

const FIGURES: readonly Figure[] = [
  {
    name: 'Frauds caught',
    cell: (one) => `${count(sum(one, 'fraud', 1))} of ${count(sum(one, 'fraud', 0))}`,
  },
  { name: 'Good customers reviewed or declined', cell: (one) => count(sum(one, 'legitimate', 1)) },
  { name: 'Good customers declined', cell: (one) => count(sum(one, 'legitimate', 2)) },
  { name: 'Precision of alerts', cell: ({ alerts }) => shareText(alerts.precision) },
  { name: 'Recall of alerts', cell: ({ alerts }) => shareText(alerts.recall) },
  { name: 'F1 of alerts', cell: ({ alerts }) => shareText(alerts.f1) },
  { name: 'Precision of declines', cell: ({ declines }) => shareText(declines.precision) },
  { name: 'Recall of declines', cell: ({ declines }) => shareText(declines.recall) },
  { name: 'F1 of declines', cell: ({ declines }) => shareText(declines.f1) },
  { name: 'AUC of the points', cell: ({ auc }) => shareText(auc) },
  { name: 'Alerts a day', cell: ({ alerts_per_day }) => number(alerts_per_day) },
  { name: 'Reviews a day', cell: ({ reviews_per_day }) => number(reviews_per_day) },
  { name: 'Officers for the reviews', cell: ({ officers }) => count(officers) },
];

function Figures({ versions }: { readonly versions: readonly BacktestVersion[] }) {
  const columns: readonly Column<Figure>[] = [
    { id: 'name', header: 'Figure', cell: ({ name }) => <span className="wrap">{name}</span> },
    ...versions.map((version, at) => ({
      ...{ id: String(at), header: version.version, numeric: true },
      cell: ({ cell }: Figure) => <span className="wrap">{cell(version)}</span>,
    })),
  ];
  return (
    <>
      <DataTable label="Figures" columns={columns} rows={FIGURES} keyOf={({ name }) => name} />
      <p className="muted small">
        Intervals hold 95 %. An alert is a review or a decline. An officer reviews 20 an hour, in 85
        % of eight hours.
      </p>
    </>
  );
}

type Row = BacktestVersion['confusion'][number];
const VERDICT: Column<Row> = {
  ...{ id: 'verdict', header: 'Verdict' },
  cell: ({ verdict }) => <Verdict verdict={verdict} />,
};
type Money = BacktestVersion['money'][number] & { readonly version: string };
const amount = (
  id: keyof Omit<Money, 'version' | 'currency'>,
  header: string,
  from?: 2 | 3,
): Column<Money> => ({
  ...{ id, header, numeric: true },
  ...(from === undefined ? {} : { from }),
  cell: (row) => money(row[id], row.currency),
});
const MONEY: readonly Column<Money>[] = [
  {
    id: 'version',
    header: 'Version',
    cell: ({ version }) => <span className="wrap">{version}</span>,
  },
  amount('fraud_missed', 'Fraud missed'),
  amount('fraud_caught', 'Fraud caught'),
  amount('fraud_stopped', 'Fraud declined', 2),
  amount('legitimate_stopped', 'Good declined', 2),
  amount('stopped', 'All declined', 3),
];
