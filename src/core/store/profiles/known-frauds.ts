/**
 * The known frauds of parties around given points, from the labels. Frauds are few: one statement finds which
 * of the parties have any, and labels are read only for those.
 */
import { textArray, timestampArray } from '../../../kit/database/binary-array.ts';
import type { Query, Statement } from '../../../kit/database/pool.ts';
import { DAY_MS } from '../../../kit/words/range.ts';
import {
  FRAUDS_SEEN_MAX,
  type FraudSpan,
  type KnownFrauds,
  NO_FRAUDS,
  ORDINARY_MEDIANS_MAX,
} from '../../domain/history.ts';
import type { LabelValue } from '../../domain/label.ts';
import { ofMonths, type Within } from '../within-months.ts';

type FraudPoint = {
  readonly party: string;
  readonly atMs: number;
  /** Frauds created before this are not read. */
  readonly sinceMs: number;
  /** A transaction whose labels do not count. */
  readonly exceptId?: string | undefined;
};

export type FraudsAround = {
  readonly known: KnownFrauds;
  /** Frauds that are known at other times than the point may be missing after it, as they were not all read. */
  readonly isCut: boolean;
};

/** Answers the frauds around each point, in the order of the points. */
export type LoadFrauds = (query: Query, points: readonly FraudPoint[]) => Promise<FraudsAround[]>;

export const NONE_AROUND: FraudsAround = { known: NO_FRAUDS, isCut: false };

/**
 * Only this many of the newest labels of a transaction are read; before the oldest of them it counts as
 * unlabelled.
 */
const LABELS_OF_TRANSACTION_MAX = 16;
/** Points of one statement. */
const POINTS_MAX = 512;
/** How far rows after a point are read. More: a rebuild for an old point locks more months; less: imports from old to new rebuild more. */
export const AFTER_MS = 365 * DAY_MS;
/**
 * Rows of one statement's result; what is cut off is asked for again. More than one point can have: a merchant's
 * 2 * 513 transactions before it and 513 from it on, with all labels that are read of each.
 */
const ROWS_MAX = 40_000;

export type PartyColumn = 'account_id' | 'merchant_id' | 'device_id' | 'ip_party';

const partiesStatement = (column: PartyColumn) =>
  ofMonths(
    `frauds-of-any-${column}`,
    (within) => `select distinct ${column} as party from market.labels l
          where ${column} = any($1::text[]) and label = 'fraud' and created_at >= $2::timestamptz and ${within('l')}`,
  );

/**
 * Whether a label makes its transaction a known fraud at the point. The outer `is true` keeps it a lookup per row. The inner one
 * hides the end of the range of time from the planner, which otherwise reads all labels of that range (labels_time_idx): 41 ms a
 * party among a million labels, instead of 0.2.
 */
const knownAtPoint = (
  label: string,
  within: Within,
) => `(${label}.labelled_at <= p.at and not exists (
  select from market.labels c where c.transaction_id = ${label}.transaction_id and c.created_at = ${label}.created_at
     and ${within('c')} and c.label = 'legitimate' and c.labelled_at > ${label}.labelled_at and (c.labelled_at <= p.at) is true)) is true`;

/**
 * Transactions before a point are counted apart by what is known at the point: those that only other points see
 * must not take the places of those that it sees. What is older than all that it sees is not read (`floor`): with
 * many frauds that are known the reading stops after `before` of them, and of the others between them as many. Only
 * frauds that nobody knew of at the point are passed over in any number. Points are put in order first and the rows with
 * them, so that a result which is cut off holds all rows of every point but its last; `0 * p.point` as in history.ts, and groups
 * rather than `distinct`, for which PostgreSQL 15 would sort them all.
 */
const aroundStatement = (column: PartyColumn, before: number, after: number) =>
  ofMonths(
    `frauds-around-${column}-${before}`,
    (within) => `
    select p.point::int, f.transaction_id, round(extract(epoch from f.created_at) * 1000)::float8 as created_at_ms,
           round(extract(epoch from l.labelled_at) * 1000)::float8 as labelled_at_ms,
           l.label, l.source, l.amount_to_median
      from (select * from unnest($1::text[], $2::timestamptz[], $3::timestamptz[])
                          with ordinality as u (party, at, since, point) order by point) p
     cross join lateral (
       with known as materialized (
         select l.created_at, l.transaction_id from market.labels l
          where l.${column} = p.party and l.label = 'fraud' and l.created_at >= p.since and l.created_at < p.at
            and ${within('l')} and ${knownAtPoint('l', within)}
          group by l.created_at, l.transaction_id
          order by l.created_at desc, l.transaction_id desc
          fetch first (${before} + 0 * p.point) rows only
       ), floor as (
         select created_at, transaction_id from known where (select count(*) from known) = ${before}
          order by created_at, transaction_id limit 1
       )
       select created_at, transaction_id from known
       union all
       (select l.created_at, l.transaction_id from market.labels l
         where l.${column} = p.party and l.label = 'fraud' and l.created_at < p.at and ${within('l')}
           and l.created_at >= coalesce((select created_at from floor), p.since)
           and not exists (select from floor where (l.created_at, l.transaction_id) <= (floor.created_at, floor.transaction_id))
           and (exists (select from market.labels o
                         where o.transaction_id = l.transaction_id and o.created_at = l.created_at and ${within('o')}
                           and o.labelled_at <= p.at and o.label = 'fraud' and ${knownAtPoint('o', within)})) is not true
         group by l.created_at, l.transaction_id
         order by l.created_at desc, l.transaction_id desc
         fetch first (${before} + 0 * p.point) rows only)
       union all
       (select created_at, transaction_id from market.labels l
         where ${column} = p.party and label = 'fraud' and created_at >= p.at and ${within('l')}
         group by created_at, transaction_id
         order by created_at, transaction_id fetch first (${after} + 0 * p.point) rows only)
     ) f
     cross join lateral (
       select labelled_at, label, source, amount_to_median from market.labels l
        where transaction_id = f.transaction_id and created_at = f.created_at and ${within('l')}
        order by labelled_at desc, label, source limit ${LABELS_OF_TRANSACTION_MAX}
     ) l
     order by p.point limit ${ROWS_MAX + 1}`,
  );

type LabelRow = {
  point: number;
  transaction_id: string;
  created_at_ms: number;
  labelled_at_ms: number;
  label: LabelValue;
  source: string;
  amount_to_median: number | null;
};

/**
 * @param before transactions before a point that are known to be fraud at it, and as many that are at other times
 * @param after transactions from it on
 */
export function createLoadFrauds(column: PartyColumn, before: number, after: number): LoadFrauds {
  const whoHasAny = partiesStatement(column);
  const around = aroundStatement(column, before, after);
  return async (query, points) => {
    const frauds: FraudsAround[] = points.map(() => NONE_AROUND);
    const fromMs = Math.min(...points.map(({ sinceMs }) => sinceMs));
    const times = { fromMs, toMs: AFTER_MS + Math.max(...points.map(({ atMs }) => atMs)) };
    const parties = [...new Set(points.map(({ party }) => party))];
    const found = await query<{ party: string }>(whoHasAny(times), [
      textArray(parties),
      new Date(fromMs),
    ]);
    if (found.length === 0) return frauds;
    const having = new Set(found.map(({ party }) => party));
    let asked = points.flatMap((point, index) =>
      having.has(point.party) ? [{ ...point, index }] : [],
    );
    while (asked.length > 0) {
      const page = asked.slice(0, POINTS_MAX);
      const { rows, complete } = await readPage(query, around(times), page);
      for (const [point, labels] of Map.groupBy(rows, (row) => row.point)) {
        const pageRow = page[point - 1];
        if (pageRow === undefined || point > complete) continue;
        const counting = labels.filter((label) => label.transaction_id !== pageRow.exceptId);
        frauds[pageRow.index] = toFraudsAround(counting, pageRow.atMs, before);
      }
      asked = asked.slice(complete);
    }
    return frauds;
  };
}

/** Labels around the points, and of how many of them these are all. */
async function readPage(query: Query, around: Statement, points: readonly FraudPoint[]) {
  const rows = await query<LabelRow>(around, [
    textArray(points.map(({ party }) => party)),
    timestampArray(points.map(({ atMs }) => atMs)),
    timestampArray(points.map(({ sinceMs }) => sinceMs)),
  ]);
  const isCut = rows.length > ROWS_MAX;
  const complete = isCut ? (rows.at(-1)?.point ?? 0) - 1 : points.length;
  if (complete < 1) throw new Error('one point has more labels than it was asked for');
  return { rows, complete };
}

/** Drops the spans that are as old as the first one beyond the bound, and keeps all others. */
function toFraudsAround(rows: readonly LabelRow[], atMs: number, before: number): FraudsAround {
  const isSeen = ({ createdAtMs, fromMs, untilMs }: FraudSpan) =>
    createdAtMs < atMs && fromMs <= atMs && atMs < untilMs;
  const frauds = [...Map.groupBy(rows, (row) => row.transaction_id)].map(
    ([transactionId, labels]) => ({ transactionId, spans: toSpans(labels) }),
  );
  const unseen = frauds.filter(
    ({ spans }) => (spans[0]?.createdAtMs ?? atMs) < atMs && !spans.some(isSeen),
  );
  const spans = frauds
    .flatMap(({ transactionId, spans }) => spans.map((span) => ({ transactionId, span })))
    .sort((a, b) => compareSpans(a.span, b.span) || compareTexts(a.transactionId, b.transactionId))
    .map(({ span }) => span);
  let seen = 0;
  const dropped = spans.findLastIndex((span) => {
    if (isSeen(span)) seen += 1;
    return seen > FRAUDS_SEEN_MAX;
  });
  const floorMs = spans[dropped]?.createdAtMs ?? Number.NEGATIVE_INFINITY;
  return { known: { spans: spans.slice(dropped + 1), floorMs }, isCut: unseen.length >= before };
}

function compareSpans(a: FraudSpan, b: FraudSpan): number {
  return a.createdAtMs - b.createdAtMs || a.fromMs - b.fromMs;
}

function compareTexts(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** When a transaction's newest label said fraud, and of which amount. */
function toSpans(labels: readonly LabelRow[]): FraudSpan[] {
  const spans: FraudSpan[] = [];
  let untilMs = Number.POSITIVE_INFINITY;
  for (const said of labels.toSorted(compareLabels)) {
    const fromMs = said.labelled_at_ms;
    // Another label of the same time came first.
    if (fromMs === untilMs) continue;
    const isUnusual = (said.amount_to_median ?? 0) > ORDINARY_MEDIANS_MAX;
    const newer = spans.at(-1);
    if (said.label === 'fraud') {
      if (newer?.fromMs === untilMs && newer.isUnusual === isUnusual) {
        spans[spans.length - 1] = { ...newer, fromMs };
      } else {
        spans.push({ createdAtMs: said.created_at_ms, fromMs, untilMs, isUnusual });
      }
    }
    untilMs = fromMs;
  }
  return spans;
}

/** Newest first; of those of one time the one that counts: fraud, and of equal ones the first source. */
function compareLabels(a: LabelRow, b: LabelRow): number {
  return (
    b.labelled_at_ms - a.labelled_at_ms ||
    compareTexts(a.label, b.label) ||
    compareTexts(a.source, b.source)
  );
}
