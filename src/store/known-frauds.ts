/**
 * The frauds of parties around given points, from the labels. Frauds are few: one statement finds which of the
 * parties have any, and only for those the labels are read.
 */
import {
  FRAUDS_SEEN_MAX,
  type FraudSpan,
  type KnownFrauds,
  NO_FRAUDS,
  ORDINARY_MEDIANS_MAX,
} from '../domain/history.ts';
import type { LabelValue } from '../domain/label.ts';
import { textArray, timestampArray } from './binary-array.ts';
import type { Query, Statement } from './pool.ts';

type FraudPoint = {
  readonly party: string;
  readonly atMs: number;
  /** Frauds created before this are not read. */
  readonly sinceMs: number;
};

/** One a point, in their order. */
export type LoadFrauds = (query: Query, points: readonly FraudPoint[]) => Promise<KnownFrauds[]>;

/** Of a transaction's labels the newest so many are read. */
const LABELS_OF_TRANSACTION_MAX = 16;

export type PartyColumn = 'account_id' | 'merchant_id';

const partiesStatement = (column: PartyColumn): Statement => ({
  name: `frauds-of-any-${column}`,
  text: `select distinct ${column} as party from labels
          where ${column} = any($1::text[]) and label = 'fraud' and created_at >= $2::timestamptz`,
});

// A transaction has a label a source: distinct before the limit.
const aroundStatement = (column: PartyColumn, before: number, after: number): Statement => ({
  name: `frauds-around-${column}`,
  text: `
    select p.point::int, f.transaction_id, round(extract(epoch from f.created_at) * 1000)::float8 as created_at_ms,
           round(extract(epoch from l.labelled_at) * 1000)::float8 as labelled_at_ms, l.label, l.amount_to_median
      from unnest($1::text[], $2::timestamptz[], $3::timestamptz[]) with ordinality as p (party, at, since, point)
     cross join lateral (
       (select distinct created_at, transaction_id from labels
         where ${column} = p.party and label = 'fraud' and created_at >= p.since and created_at < p.at
         order by created_at desc, transaction_id desc limit ${before})
       union all
       (select distinct created_at, transaction_id from labels
         where ${column} = p.party and label = 'fraud' and created_at >= p.at
         order by created_at, transaction_id limit ${after})
     ) f
     cross join lateral (
       select labelled_at, label, amount_to_median from labels
        where transaction_id = f.transaction_id and created_at = f.created_at
        order by labelled_at desc, label desc, source limit ${LABELS_OF_TRANSACTION_MAX}
     ) l`,
});

type LabelRow = {
  point: number;
  transaction_id: string;
  created_at_ms: number;
  labelled_at_ms: number;
  label: LabelValue;
  amount_to_median: number | null;
};

/**
 * @param before transactions before a point
 * @param after transactions from it on
 */
export function createLoadFrauds(column: PartyColumn, before: number, after: number): LoadFrauds {
  const whoHasAny = partiesStatement(column);
  const around = aroundStatement(column, before, after);
  return async (query, points) => {
    const frauds: KnownFrauds[] = points.map(() => NO_FRAUDS);
    const since = new Date(Math.min(...points.map(({ sinceMs }) => sinceMs)));
    const parties = [...new Set(points.map(({ party }) => party))];
    const found = await query<{ party: string }>(whoHasAny, [textArray(parties), since]);
    if (found.length === 0) return frauds;
    const having = new Set(found.map(({ party }) => party));
    const asked = points.flatMap((point, index) =>
      having.has(point.party) ? [{ ...point, index }] : [],
    );
    const rows = await query<LabelRow>(around, [
      textArray(asked.map(({ party }) => party)),
      timestampArray(asked.map(({ atMs }) => atMs)),
      timestampArray(asked.map(({ sinceMs }) => sinceMs)),
    ]);
    for (const [point, labels] of Map.groupBy(rows, (row) => row.point)) {
      const one = asked[point - 1];
      if (one !== undefined) frauds[one.index] = toKnownFrauds(labels, one.atMs);
    }
    return frauds;
  };
}

/** Of the spans before the point the newest FRAUDS_SEEN_MAX, and all from it on. */
function toKnownFrauds(rows: readonly LabelRow[], atMs: number): KnownFrauds {
  const spans = [...Map.groupBy(rows, (row) => row.transaction_id).values()]
    .flatMap(toSpans)
    .sort((a, b) => a.createdAtMs - b.createdAtMs || a.fromMs - b.fromMs);
  const before = spans.filter(({ createdAtMs }) => createdAtMs < atMs).length;
  const dropped = Math.max(0, before - FRAUDS_SEEN_MAX);
  const floorMs = spans[dropped - 1]?.createdAtMs ?? Number.NEGATIVE_INFINITY;
  return { spans: spans.slice(dropped), floorMs };
}

/** When a transaction's newest label said fraud; of two at the same time fraud wins. */
function toSpans(labels: readonly LabelRow[]): FraudSpan[] {
  const fraudTimes = new Set(
    labels.flatMap(({ label, labelled_at_ms: ms }) => (label === 'fraud' ? [ms] : [])),
  );
  const spans: FraudSpan[] = [];
  for (const one of labels.toSorted((a, b) => a.labelled_at_ms - b.labelled_at_ms)) {
    const open = spans.at(-1);
    const isOpen = open !== undefined && open.untilMs === Number.POSITIVE_INFINITY;
    const atMs = one.labelled_at_ms;
    if (one.label === 'legitimate') {
      if (isOpen && !fraudTimes.has(atMs)) spans.splice(-1, 1, { ...open, untilMs: atMs });
    } else if (!isOpen) {
      const isUnusual = (one.amount_to_median ?? 0) > ORDINARY_MEDIANS_MAX;
      const createdAtMs = one.created_at_ms;
      spans.push({ createdAtMs, fromMs: atMs, untilMs: Number.POSITIVE_INFINITY, isUnusual });
    }
  }
  return spans;
}
