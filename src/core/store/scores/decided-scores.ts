/** Scores with what an event of them says of their transactions. Each id names its month, so one partition is read for it. */
import { timestampArray, uuidArray } from '../../../kit/database/binary-array.ts';
import type { Query, Statement } from '../../../kit/database/pool.ts';
import { createdAtMsOf } from '../../domain/transaction.ts';
import { SCORE_COLUMNS, type ScoreRow, type StoredScore, toStoredScore } from './stored-scores.ts';

const locateStatement: Statement = {
  name: 'locate-decided',
  text: `select s.*, t.*
           from unnest($1::uuid[], $2::timestamptz[]) as u (transaction_id, created_at)
          cross join lateral (
            select ${SCORE_COLUMNS} from market.scores s
             where s.transaction_id = u.transaction_id and s.created_at = u.created_at limit 1) s
          cross join lateral (
            select t.client, t.merchant_id, t.amount::text, t.currency
              from market.transactions t
             where t.transaction_id = u.transaction_id and t.created_at = u.created_at limit 1) t`,
};

/** A score with what an event says of its transaction. */
export type LocatedScore = {
  readonly score: StoredScore;
  readonly client: string;
  readonly merchantId: string;
  readonly amount: string;
  readonly currency: string;
};

type LocatedRow = ScoreRow &
  Pick<LocatedScore, 'client' | 'amount' | 'currency'> & {
    readonly merchant_id: string;
  };

/** Finds those that are stored; the others' months are detached or dropped. */
export async function locateDecided(query: Query, ids: readonly string[]): Promise<LocatedScore[]> {
  const times = ids.map((id) => createdAtMsOf(id) ?? 0);
  const rows = await query<LocatedRow>(locateStatement, [uuidArray(ids), timestampArray(times)]);
  return rows.map((row) => ({
    score: toStoredScore(row),
    client: row.client,
    merchantId: row.merchant_id,
    amount: row.amount,
    currency: row.currency,
  }));
}
