/** What a search found, by its ids: each transaction with its score, if any, and the label that decides. */

import type { LabelValue } from '../../../core/domain/label.ts';
import type { StoredTransaction } from '../../../core/domain/transaction-record.ts';
import { isoTime } from '../../../core/store/partitions/month-slice.ts';
import {
  type ScoreRow,
  type StoredScore,
  toStoredScore,
} from '../../../core/store/scores/stored-scores.ts';
import type { RowPosition } from '../../../core/store/search/search-slice.ts';
import {
  type TransactionRow,
  toTransaction,
} from '../../../core/store/transactions/read-transactions.ts';
import { timestampArray, uuidArray } from '../../../kit/database/binary-array.ts';
import type { Database } from '../../../kit/database/pool.ts';

export type FoundTransaction = {
  readonly transaction: StoredTransaction;
  /** Null: not scored. */
  readonly score: StoredScore | null;
  /** The label that decides; null: none. */
  readonly label: LabelValue | null;
};

const IN_PARTITION = `transaction_id = u.transaction_id and created_at = u.created_at
              and created_at >= $3 and created_at <= $4`;

// Lateral and limited, so that each row asks one partition by its primary key.
const statement = {
  name: 'load-found',
  text: `select t.transaction_id, t.created_at, t.received_at, t.account_id, t.merchant_id, t.corridor, t.amount, t.currency,
                t.type, t.ip, t.device_id, t.country, t.channel, t.metadata, t.client,
                s.scored_at, s.score, s.risk, s.probability, s.verdict, s.reasons, s.rule_set, s.model, s.attempts,
                s.degradation, l.label,
                case when s.score is not null then 'scored'
                     when exists (select from market.dead_letters d where d.transaction_id = u.transaction_id
                                   and d.replayed_at is null) then 'dead_lettered'
                     else 'accepted' end as status
           from unnest($1::uuid[], $2::timestamptz[]) as u(transaction_id, created_at)
          cross join lateral (select * from market.transactions where ${IN_PARTITION} limit 1) t
           left join lateral (select * from market.scores where ${IN_PARTITION} limit 1) s on true
           left join lateral (select label from market.labels where ${IN_PARTITION}
                               order by labelled_at desc, label limit 1) l on true`,
};

type FoundRow = TransactionRow & (ScoreRow | { score: null }) & { label: LabelValue | null };

/** By id; a row that is not there is left out. */
export async function loadFound(
  { query }: Pick<Database, 'query'>,
  places: readonly RowPosition[],
): Promise<ReadonlyMap<string, FoundTransaction>> {
  if (places.length === 0) return new Map();
  const times = places.map(({ atMs }) => atMs);
  const rows = await query<FoundRow>(statement, [
    uuidArray(places.map(({ id }) => id)),
    timestampArray(times),
    isoTime(Math.min(...times)),
    isoTime(Math.max(...times)),
  ]);
  return new Map(rows.map((row) => [row.transaction_id, toFound(row)]));
}

function toFound(row: FoundRow): FoundTransaction {
  return {
    transaction: toTransaction(row),
    score: row.score === null ? null : toStoredScore(row),
    label: row.label,
  };
}
