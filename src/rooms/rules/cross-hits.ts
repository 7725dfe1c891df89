/**
 * Verdicts of scores crossed with what is known of them, exactly, by reason code. Approvals without a label, nearly all scores, are
 * not read: reviews and declines come from their index, labels from their primary key.
 */
import { VERDICTS, type Verdict } from '../../core/domain/score-record.ts';
import { labelInForce } from '../../core/store/label-in-force.ts';
import type { ScoreWindow } from '../../core/store/scores/score-window.ts';
import type { Database } from '../../kit/database/pool.ts';
import { onlyOf } from '../../kit/database/statement.ts';
import { lowestIdAt } from '../../kit/words/cursor.ts';
import { DAY_MS, HOUR_MS } from '../../kit/words/range.ts';

/** Scores read for one answer. More: a question takes longer than some seconds. Fewer: busy corridors are counted for fewer days. */
export const CROSSED_MAX = 50_000;
/** Entries of the index of reviews and declines, of all corridors, that are looked at; as CROSSED_MAX. */
const ENTRIES_MAX = 1_000_000;

export type Known = 'fraud' | 'legitimate' | 'none';
type Counts = { [verdict in Verdict]: { [known in Known]: number } };
export type Crossed = { readonly [verdict in Verdict]: Readonly<Counts[verdict]> };

const nothing = (): Counts => ({
  approve: { fraud: 0, legitimate: 0, none: 0 },
  review: { fraud: 0, legitimate: 0, none: 0 },
  decline: { fraud: 0, legitimate: 0, none: 0 },
});

export const NOTHING: Crossed = nothing();

type Slice = {
  readonly entries: number;
  readonly scores: number;
  /** Null where the slice has more than was asked for. */
  readonly crossed:
    | readonly {
        /** Null: all scores. */
        readonly code: string | null;
        readonly verdict: Verdict;
        readonly known: Known;
        readonly count: number;
      }[]
    | null;
};

/** Ids of the slice $1 to $2, in the partitions of $3 to $4; $6 and $7 bound what is read, with one more to tell that more is there. */
const crossSlice = onlyOf<
  Slice,
  [
    lowestId: string,
    highestId: string,
    from: Date,
    to: Date,
    corridor: string | null,
    entriesMax: number,
    scoresMax: number,
  ]
>(
  'cross-hits',
  `
    with entries as materialized (
      select transaction_id, created_at, corridor from market.scores
       where verdict <> 'approve' and created_at >= $3 and created_at < $4
       order by created_at, transaction_id limit $6::int4 + 1),
    stopped as materialized (
      select transaction_id, created_at from entries where $5::text is null or corridor = $5 limit $7::int4 + 1),
    labelled as materialized (
      select transaction_id, created_at from market.labels
       where transaction_id >= $1 and transaction_id < $2 and created_at >= $3 and created_at < $4
       order by transaction_id limit $7::int4 + 1),
    keys as materialized (select * from stopped union select * from labelled),
    sizes as materialized (
      select (select count(*) from entries)::int4 as entries,
             greatest((select count(*) from keys), (select count(*) from labelled))::int4 as scores),
    hits as materialized (
      select s.verdict, s.codes, coalesce(l.label, 'none') as known
        from keys k
       cross join lateral (
         select verdict, array(select distinct reason ->> 'code' from jsonb_array_elements(reasons) reason) as codes
           from market.scores s
          where s.transaction_id = k.transaction_id and s.created_at = k.created_at
            and s.created_at >= $3 and s.created_at < $4 and ($5::text is null or corridor = $5)
          limit 1) s
        left join lateral ${labelInForce('l.transaction_id = k.transaction_id and l.created_at = k.created_at and l.created_at >= $3 and l.created_at < $4')} l on true
       where (select entries <= $6::int4 and scores <= $7::int4 from sizes))
    select entries, scores,
           case when entries <= $6::int4 and scores <= $7::int4 then (
             select coalesce(jsonb_agg(c), '[]')
               from (select code, verdict, known, count(*) from hits, unnest(array_append(codes, null)) code group by 1, 2, 3) c) end as crossed
      from sizes`,
);

/** The hours of the last day, then whole days before it, the newest first. */
function slicesOf(firstMs: number, nowMs: number): ScoreWindow[] {
  const lastMs = Math.floor(nowMs / DAY_MS) * DAY_MS;
  const hours = Math.floor((nowMs - lastMs) / HOUR_MS);
  const slices: ScoreWindow[] = [];
  for (let at = hours; at >= 0; at--) {
    // The clock of a client may be ahead: the last hour has what is left of its day.
    const toMs = at === hours ? lastMs + DAY_MS : lastMs + (at + 1) * HOUR_MS;
    slices.push({ fromMs: lastMs + at * HOUR_MS, toMs });
  }
  for (let toMs = lastMs; toMs > firstMs; toMs -= DAY_MS) {
    slices.push({ fromMs: toMs - DAY_MS, toMs });
  }
  return slices;
}

type CrossedHits = {
  /** All scores from this time on are counted: later than asked for where that would be too many. */
  readonly fromMs: number;
  readonly all: Crossed;
  readonly byCode: ReadonlyMap<string, Crossed>;
};

type Asked = {
  readonly corridor: string | undefined;
  /** Start of a UTC day. */
  readonly firstMs: number;
  readonly nowMs: number;
  readonly scoresMax?: number;
};

/** Counts whole slices from now backwards. Approvals without a label are left at 0. */
export async function crossHits(
  { query }: Pick<Database, 'query'>,
  { corridor, firstMs, nowMs, scoresMax = CROSSED_MAX }: Asked,
): Promise<CrossedHits> {
  const all = nothing();
  const byCode = new Map<string, Counts>();
  let countedMs = (Math.floor(nowMs / DAY_MS) + 1) * DAY_MS;
  let [entriesLeft, scoresLeft] = [ENTRIES_MAX, scoresMax];
  for (const { fromMs, toMs } of slicesOf(firstMs, nowMs)) {
    const { entries, scores, crossed } = await crossSlice(
      query,
      lowestIdAt(fromMs),
      lowestIdAt(toMs),
      new Date(fromMs),
      new Date(toMs),
      corridor ?? null,
      entriesLeft,
      scoresLeft,
    );
    if (crossed === null) break;
    for (const { code, verdict, known, count } of crossed) {
      if (code !== null && !byCode.has(code)) byCode.set(code, nothing());
      const counts = code === null ? all : byCode.get(code);
      if (counts !== undefined) counts[verdict][known] += count;
    }
    entriesLeft -= entries;
    scoresLeft -= scores;
    countedMs = fromMs;
  }
  return { fromMs: countedMs, all, byCode };
}

export const sumOf = (crossed: Crossed, known: Known): number =>
  VERDICTS.reduce((sum, verdict) => sum + crossed[verdict][known], 0);
