/** The table has a row a rule: its hits by verdict and label. A rule's name opens the rule's numbers. */
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

const VERDICTS = ['approve', 'review', 'decline'] as const;
type Verdict = (typeof VERDICTS)[number];
type Known = 'fraud' | 'legitimate';
const sumOf = ({ outcome }: Row, known: Known) =>
  VERDICTS.reduce((sum, verdict) => sum + (outcome?.outcomes[verdict][known] ?? 0), 0);
/** Null where approvals without a label were not counted. */
function verdictOf({ outcome }: Row, verdict: Verdict): number | null {
  if (outcome === undefined) return 0;
  const { fraud, legitimate, none } = outcome.outcomes[verdict];
  return none === null ? null : fraud + legitimate + none;
}
const byVerdict = (verdict: Verdict, header: string, from: 2 | 3): Column<Row> => ({
  ...{ id: verdict, header, numeric: true, from },
  sortBy: (row) => verdictOf(row, verdict) ?? 0,
  cell: (row) => {
    const value = verdictOf(row, verdict);
    return value === null ? '–' : <Count value={value} />;
  },
});

/** A number that leads to its transactions: of the days of the figures, with the reason of the rule. */
function Linked({
  row: { rule },
  value,
  outcomes: { from, counted_from, to, corridor },
  label,
  verdict,
}: {
  readonly row: Row;
  readonly value: number;
  readonly outcomes: RuleOutcomes;
  readonly label?: Known;
  readonly verdict?: Verdict;
}) {
  if (value === 0) return <Count value={0} />;
  const search = new URLSearchParams({ reason: rule.code, from, to });
  if (corridor !== null) search.set('corridor', corridor);
  if (label !== undefined) {
    search.set('label', label);
    search.set('from', counted_from);
  }
  if (verdict !== undefined) search.set('verdict', verdict);
  return (
    <Link
      href={`/transactions?${search}`}
      aria-label={`${count(value)} ${[verdict, label ?? 'hits'].filter(Boolean).join(' ')} of ${words(rule.code)}`}
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
    ...{ id: name, header, numeric: true, from: 2, sortBy: (row) => sumOf(row, name) },
    cell: (row) => <Linked row={row} value={sumOf(row, name)} outcomes={outcomes} label={name} />,
  });
  const wronglyDeclined = ({ outcome }: Row) => outcome?.outcomes.decline.legitimate ?? 0;
  const frauds = VERDICTS.reduce((sum, verdict) => sum + outcomes.outcomes[verdict].fraud, 0);
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
    byVerdict('approve', 'Approve', 3),
    byVerdict('review', 'Review', 2),
    byVerdict('decline', 'Decline', 2),
    {
      ...{ id: 'wrong', header: 'Good declined', numeric: true, sortBy: wronglyDeclined },
      cell: (row) => (
        <Linked
          row={row}
          value={wronglyDeclined(row)}
          outcomes={outcomes}
          label="legitimate"
          verdict="decline"
        />
      ),
    },
    labelled('fraud', 'Fraud'),
    labelled('legitimate', 'Legitimate'),
    {
      ...{ id: 'caught', header: 'Of frauds', numeric: true, from: 3 },
      sortBy: (row) => sumOf(row, 'fraud'),
      cell: (row) => (frauds === 0 ? '–' : percent(sumOf(row, 'fraud') / frauds)),
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
