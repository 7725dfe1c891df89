/** Each rule with its hits, verdicts and labels; its name opens its numbers. */
import { Link } from 'wouter';
import type { RuleOutcomes, RuleSet } from '../../../../src/kit/client/api-types.ts';
import { count, percent, words } from '../../format.ts';
import { type Column, DataTable } from '../../parts/data-table.tsx';
import { Interval } from '../../parts/interval.tsx';

type Rule = RuleSet['rules'][number];
type Outcome = RuleOutcomes['rules'][number];
type Row = { readonly rule: Rule; readonly outcome: Outcome | undefined };

type RuleTableProps = {
  readonly rules: readonly Rule[];
  readonly outcomes: RuleOutcomes;
  readonly onOpen: (code: string) => void;
};

const POINTS = 1000;
/** Points of a score on which nothing else fires. */
export const pointsOf = (weight: number) => Math.round(weight * POINTS);

function rangeOf({ bands }: Rule): string {
  const [least, most] = [bands[0]?.weight ?? 0, bands.at(-1)?.weight ?? 0];
  return `${count(pointsOf(least))}–${count(pointsOf(most))}`;
}

/** A precision of few hits says little: its interval is shown beside it. */
function Precision({ outcome }: { readonly outcome: Outcome | undefined }) {
  const share = outcome?.precision ?? null;
  if (share === null) return <span className="muted">–</span>;
  const text = `${percent(share.low)} to ${percent(share.high)} with 95 % certainty, by ${count(share.rows)} labels`;
  return (
    <span title={text}>
      <strong>{percent(share.value)}</strong>
      <span className="hidden">, {text}</span>
    </span>
  );
}

/** Zeros step back, so that the rules that fire stand out. */
const Count = ({ value }: { readonly value: number }) => (
  <span className={value === 0 ? 'muted' : ''}>{count(value)}</span>
);

const sampledOf =
  (name: 'approve' | 'review' | 'decline' | 'fraud' | 'legitimate') =>
  ({ outcome }: Row) =>
    outcome?.sampled[name] ?? 0;

const sampled = (
  name: 'approve' | 'review' | 'decline',
  header: string,
  from: 2 | 3,
): Column<Row> => ({
  ...{ id: name, header, numeric: true, from, sortBy: sampledOf(name) },
  cell: (row) => <Count value={sampledOf(name)(row)} />,
});

/** A number that leads to its transactions: of the days of the figures, with the reason of the rule. */
function Linked({
  row: { rule },
  value,
  outcomes: { from, to },
  label,
}: {
  readonly row: Row;
  readonly value: number;
  readonly outcomes: RuleOutcomes;
  readonly label?: 'fraud' | 'legitimate';
}) {
  if (value === 0) return <Count value={0} />;
  const search = new URLSearchParams({ reason: rule.code, from, to });
  if (label !== undefined) search.set('label', label);
  return (
    <Link
      href={`/transactions?${search}`}
      aria-label={`${count(value)} ${label ?? 'hits'} of ${words(rule.code)}`}
    >
      {count(value)}
    </Link>
  );
}

const hitsOf = ({ outcome }: Row) => outcome?.hits ?? 0;

export function RuleTable({ rules, outcomes, onOpen }: RuleTableProps) {
  const byCode = new Map(outcomes.rules.map((outcome) => [outcome.code, outcome]));
  const rows = rules.map((rule): Row => ({ rule, outcome: byCode.get(rule.code) }));
  const labelled = (name: 'fraud' | 'legitimate', header: string): Column<Row> => ({
    ...{ id: name, header, numeric: true, from: 2, sortBy: sampledOf(name) },
    cell: (row) => (
      <Linked row={row} value={sampledOf(name)(row)} outcomes={outcomes} label={name} />
    ),
  });
  const columns: readonly Column<Row>[] = [
    {
      ...{ id: 'rule', header: 'Rule', sortBy: ({ rule }) => words(rule.code) },
      cell: ({ rule: { code, policy } }) => (
        <>
          <button type="button" className="link" onClick={() => onOpen(code)}>
            {words(code)}
          </button>
          {policy ? <span className="muted"> policy</span> : null}
        </>
      ),
    },
    {
      ...{ id: 'points', header: 'Points alone', numeric: true, from: 2 },
      cell: ({ rule }) => rangeOf(rule),
      sortBy: ({ rule: { bands } }) => bands.at(-1)?.weight ?? 0,
    },
    {
      ...{ id: 'hits', header: 'Hits', numeric: true },
      cell: (row) => <Linked row={row} value={hitsOf(row)} outcomes={outcomes} />,
      sortBy: hitsOf,
    },
    {
      ...{ id: 'share', header: 'Of scores', numeric: true, from: 3 },
      cell: ({ outcome }) =>
        outcome === undefined || outcomes.scores === 0
          ? '–'
          : percent(outcome.hits / outcomes.scores),
      sortBy: hitsOf,
    },
    sampled('approve', 'Approve', 3),
    sampled('review', 'Review', 2),
    sampled('decline', 'Decline', 2),
    labelled('fraud', 'Fraud'),
    labelled('legitimate', 'Legitimate'),
    {
      ...{ id: 'caught', header: 'Of frauds', numeric: true, from: 2, sortBy: sampledOf('fraud') },
      cell: (row) =>
        outcomes.sampled_frauds === 0
          ? '–'
          : percent(sampledOf('fraud')(row) / outcomes.sampled_frauds),
    },
    {
      ...{ id: 'precision', header: 'Precision', numeric: true },
      cell: ({ outcome }) => <Precision outcome={outcome} />,
      sortBy: ({ outcome }) => outcome?.precision?.value ?? -1,
    },
    {
      ...{ id: 'interval', header: '0 to 100 %', from: 3 },
      cell: ({ outcome }) => (outcome?.precision ? <Interval {...outcome.precision} /> : null),
    },
  ];
  return <DataTable label="Rules" columns={columns} rows={rows} keyOf={({ rule }) => rule.code} />;
}
