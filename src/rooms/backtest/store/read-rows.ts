/**
 * Stored rows as they were, a page at a time in the order of ids: what was scored by a moment, with the label that the engine
 * had been told by then. What is stored or labelled later moves no answer.
 */

import { createdAtMsOf } from '../../../core/domain/transaction.ts';
import { labelInForce } from '../../../core/store/label-in-force.ts';
import { isoTime, type MonthRange } from '../../../core/store/partitions/month-slice.ts';
import { toVector } from '../../../core/store/scores/score-values.ts';
import type { Query } from '../../../kit/database/pool.ts';
import { rowsOf } from '../../../kit/database/statement.ts';
import { lowestIdAt } from '../../../kit/words/cursor.ts';
import type { Row } from '../count/fold-rows.ts';

/** Rows of a page: 1 MB on the wire. With more, other work of the process waits longer than some milliseconds. */
export const PAGE_ROWS = 500;

export type StoredRow = Row & {
  /** The model that judged. */
  readonly model: string | null;
  /** By the table of then; null where 1.0.0 made the score. */
  readonly margin: number | null;
  /** Serial of that table. */
  readonly scorecard: number | null;
};

type PageRow = Omit<StoredRow, 'createdAtMs' | 'vector'> & {
  readonly bytes: Buffer | null;
};

const OF_ROW = 'l.transaction_id = p.transaction_id and l.created_at = p.created_at';

const readPage = rowsOf<
  PageRow,
  [
    after: string,
    low: string,
    high: string,
    from: string,
    to: string,
    known: string,
    only: string | null,
  ]
>(
  'read-backtest-page',
  `with p as materialized (
     select s.transaction_id, s.created_at, s.scored_at <= $6 and ($7::text is null or s.corridor = $7) as counts,
            s.corridor, s.features, s.rule_inputs, s.model, s.margin, s.scorecard
       from market.scores s
      where s.transaction_id > $1 and s.transaction_id >= $2 and s.transaction_id < $3
        and s.created_at >= $4 and s.created_at < $5
      order by s.transaction_id, s.created_at limit ${PAGE_ROWS})
   select p.transaction_id as id, p.corridor, p.rule_inputs as "ruleInputs", p.model, p.margin, p.scorecard, t.currency, t.amount::text as amount,
          case when p.counts and t.amount is not null then p.features end as bytes,
          case when p.counts then ${labelInForce(`${OF_ROW} and l.created_at >= $4 and l.created_at < $5 and l.received_at <= $6`)} end as label
     from p left join market.transactions t on t.transaction_id = p.transaction_id and t.created_at = p.created_at
            and t.created_at >= $4 and t.created_at < $5
    order by p.transaction_id`,
);

export type ReadPage = Awaited<ReturnType<typeof readRows>>;

/**
 * Counts rows that were looked at in `seen`; `last` is the last row, or null.
 * @param month part of a month
 */
export async function readRows(
  query: Query,
  { fromMs, toMs }: MonthRange,
  after: string | null,
  { knownBy, corridor }: { readonly knownBy: string; readonly corridor: string | null },
) {
  const low = lowestIdAt(fromMs);
  const times = [isoTime(fromMs), isoTime(toMs)] as const;
  const found = await readPage(
    query,
    after ?? lowestIdAt(0),
    low,
    lowestIdAt(toMs),
    ...times,
    knownBy,
    corridor,
  );
  const rows = found.flatMap(({ bytes, ...row }) => {
    const createdAtMs = createdAtMsOf(row.id);
    return bytes === null || createdAtMs === undefined
      ? []
      : { ...row, createdAtMs, vector: toVector(bytes) };
  });
  return { rows, seen: found.length, last: found.at(-1)?.id ?? null };
}
