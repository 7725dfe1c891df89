/** Labels beside a table: matured weeks, how soon labels came, and what became of the hits of each rule. */
import type { ScorecardTable } from '../../../../src/kit/client/api-types.ts';
import { count, number, percent, words } from '../../format.ts';
import { Bars } from '../../parts/bars.tsx';
import { type Column, DataTable } from '../../parts/data-table.tsx';
import { Part } from '../../parts/page.tsx';
import { Badge } from '../../parts/show.tsx';
import { Empty } from '../../parts/states.tsx';

type Props = { readonly table: ScorecardTable };
type Week = ScorecardTable['weeks'][number];
type Rule = ScorecardTable['rules'][number];

const precision = (value: number | null) => (value === null ? '–' : value.toFixed(3));

const WEEK_COLUMNS: readonly Column<Week>[] = [
  { id: 'from', header: 'Week from', cell: ({ from }) => from },
  {
    id: 'payments',
    header: 'Payments',
    numeric: true,
    from: 3,
    cell: (row) => count(row.payments),
  },
  { id: 'frauds', header: 'Frauds', numeric: true, from: 2, cell: ({ frauds }) => count(frauds) },
  { id: 'alerts', header: 'Alerts', numeric: true, from: 2, cell: ({ alerts }) => count(alerts) },
  {
    ...{ id: 'precision', header: 'Precision', numeric: true },
    cell: ({ decided, scorecard }) =>
      `${precision(decided.average_precision)} → ${precision(scorecard.average_precision)}`,
  },
  {
    ...{ id: 'caught', header: 'Caught', numeric: true },
    cell: ({ decided, scorecard }) => `${count(decided.caught)} → ${count(scorecard.caught)}`,
  },
  {
    ...{ id: 'stopped', header: 'Stopped', numeric: true },
    cell: ({ decided, scorecard }) => `${count(decided.stopped)} → ${count(scorecard.stopped)}`,
  },
];

export function Weeks({ table: { weeks } }: Props) {
  return (
    <Part title="What it would have caught, and whom it would have stopped">
      {weeks.length === 0 ? (
        <Empty title="No week has matured since the first table">
          Only payments are compared that a table judged when they were scored, and only once their
          labels have had time to come.
        </Empty>
      ) : (
        <>
          <p className="muted small">
            What decided → what the tables of then would have, with the same number of alerts
            (reviews and declines): average precision of all payments, frauds caught, and honest
            payments stopped.
          </p>
          <DataTable
            label="Weeks"
            columns={WEEK_COLUMNS}
            rows={weeks.toReversed()}
            keyOf={({ from }) => from}
          />
        </>
      )}
    </Part>
  );
}

export function Labels({ table: { labels, label_maturity_days_proposed: proposed } }: Props) {
  return (
    <Part title="How soon labels came">
      {labels.length === 0 ? (
        <Empty title="No label has come yet">
          Frauds of the 30 to 120 days before the table are counted.
        </Empty>
      ) : (
        <>
          <Bars
            rows={labels.map(({ within_days: days, share }) => ({
              ...{ key: String(days), name: days === 1 ? 'within a day' : `within ${days} days` },
              ...{ note: '', value: share, text: percent(share) },
            }))}
          />
          <p className="muted small">
            {proposed === null
              ? 'No maturity is proposed: fewer than 50 frauds are labelled, or their labels came late.'
              : `95 % came within ${proposed} days: RISK_LABEL_MATURITY_DAYS may be ${proposed}.`}
          </p>
        </>
      )}
    </Part>
  );
}

const RULE_COLUMNS: readonly Column<Rule>[] = [
  { id: 'rule', header: 'Rule', cell: ({ code }) => words(code) },
  { id: 'payments', header: 'Hits', numeric: true, cell: ({ payments }) => count(payments) },
  { id: 'frauds', header: 'Frauds', numeric: true, cell: ({ frauds }) => count(frauds) },
  {
    ...{ id: 'weight', header: 'Justified weight', numeric: true, from: 2 },
    cell: ({ weight }) => number(weight),
  },
  {
    ...{ id: 'rests', header: 'State' },
    cell: ({ rests }) => (rests ? <Badge level="warning">rests</Badge> : null),
  },
];

export function Rules({ table: { rules, rule_set } }: Props) {
  return (
    <Part
      title={`What became of the hits of ${rule_set}`}
      aside={<span className="muted">matured, by what the learnt rows stand for</span>}
    >
      {rules.length === 0 ? (
        <Empty title="No rule has fired on a matured payment" />
      ) : (
        <DataTable
          label="Rules"
          columns={RULE_COLUMNS}
          rows={rules.toSorted((one, other) => other.payments - one.payments)}
          keyOf={({ code }) => code}
        />
      )}
    </Part>
  );
}
