/**
 * Verdicts of scores crossed with what is known of them, exactly, by reason code. Approvals without a label, nearly all scores, are
 * not read: reviews and declines come from their index, labels from their primary key.
 */
import { VERDICTS, type Verdict } from '../../core/domain/score-record.ts';
import { labelInForce } from '../../core/store/label-in-force.ts';
import type { Database } from '../../kit/database/pool.ts';
import { epochMs, onlyOf } from '../../kit/database/statement.ts';
import { lowestIdAt } from '../../kit/words/cursor.ts';
import { DAY_MS } from '../../kit/words/range.ts';

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

type Crossing = {
  /** Epoch milliseconds. */
  readonly fromMs: number;
  readonly crossed: readonly {
    /** Null: all scores. */
    readonly code: string | null;
    readonly verdict: Verdict;
    readonly known: Known;
    readonly count: number;
  }[];
};

/** The time of the first row that is too many; rows of its millisecond, and older rows, are not counted. */
const behind = (rows: string, most: string) =>
  `(select created_at + interval '1 ms' from ${rows} order by created_at desc offset ${most}::int4 limit 1)`;

/** Reads ids from $1 to $2, in the partitions of $3 to $4. $6 and $7 bound what is read; a row beyond the bound tells that there are more. */
const cross = onlyOf<
  Crossing,
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
       order by created_at desc, transaction_id desc limit $6::int4 + 1),
    stopped as materialized (
      select transaction_id, created_at from entries where $5::text is null or corridor = $5
       order by created_at desc limit $7::int4 + 1),
    labelled as materialized (
      select transaction_id, created_at from market.labels
       where transaction_id >= $1 and transaction_id < $2 and created_at >= $3 and created_at < $4
       order by transaction_id desc limit $7::int4 + 1),
    keys as materialized (select * from stopped union select * from labelled),
    bound as materialized (
      select greatest($3, ${behind('entries', '$6')}, ${behind('stopped', '$7')}, ${behind('labelled', '$7')}, ${behind('keys', '$7')}) as from_at),
    hits as materialized (
      select s.verdict, s.codes, coalesce(l.label, 'none') as known
        from bound, keys k
       cross join lateral (
         select verdict, array(select distinct reason ->> 'code' from jsonb_array_elements(reasons) reason) as codes
           from market.scores s
          where s.transaction_id = k.transaction_id and s.created_at = k.created_at
            and s.created_at >= $3 and s.created_at < $4 and ($5::text is null or corridor = $5)
          limit 1) s
        left join lateral ${labelInForce('l.transaction_id = k.transaction_id and l.created_at = k.created_at and l.created_at >= $3 and l.created_at < $4')} l on true
       where k.created_at >= from_at)
    select ${epochMs('from_at')} as "fromMs", (
             select coalesce(jsonb_agg(c), '[]')
               from (select code, verdict, known, count(*) from hits, unnest(array_append(codes, null)) code group by 1, 2, 3) c) as crossed
      from bound`,
);

type Asked = {
  readonly corridor: string | undefined;
  /** Start of a UTC day. */
  readonly firstMs: number;
  readonly nowMs: number;
  readonly scoresMax?: number;
};

/**
 * Counts all scores from `fromMs` on, a later time than `firstMs` where there are too many scores. Approvals without a label stay
 * at 0.
 */
export async function crossHits(
  { query }: Pick<Database, 'query'>,
  { corridor, firstMs, nowMs, scoresMax = CROSSED_MAX }: Asked,
) {
  // The clock of a client may be ahead: what is left of the day counts.
  const endMs = (Math.floor(nowMs / DAY_MS) + 1) * DAY_MS;
  const { fromMs, crossed } = await cross(
    query,
    lowestIdAt(firstMs),
    lowestIdAt(endMs),
    new Date(firstMs),
    new Date(endMs),
    corridor ?? null,
    corridor === undefined ? scoresMax : ENTRIES_MAX,
    scoresMax,
  );
  const all = nothing();
  const byCode = new Map<string, Counts>();
  for (const { code, verdict, known, count } of crossed) {
    if (code !== null && !byCode.has(code)) byCode.set(code, nothing());
    const counts = code === null ? all : byCode.get(code);
    if (counts !== undefined) counts[verdict][known] += count;
  }
  return { fromMs, all, byCode };
}

export const sumOf = (crossed: Crossed, known: Known): number =>
  VERDICTS.reduce((sum, verdict) => sum + crossed[verdict][known], 0);
