/** Transactions that a search found, by their ids: each with its score, if any, and the label that decides. */
import type { LabelValue } from '../../../core/domain/label.ts';
import type { TransactionRow } from '../../../core/domain/transaction-record.ts';
import { labelInForce } from '../../../core/store/label-in-force.ts';
import type { ScoreRow } from '../../../core/store/scores/stored-scores.ts';
import { timeValues } from '../../../core/store/within-months.ts';
import { uuidArray } from '../../../kit/database/binary-array.ts';
import type { Database, Statement } from '../../../kit/database/pool.ts';
import type { Position } from '../../../kit/words/cursor.ts';

export type FoundTransaction = TransactionRow &
  (ScoreRow | { readonly score: null }) & {
    /** The label that decides; null: none. */
    readonly label: LabelValue | null;
  };

const IN_PARTITION = `transaction_id = u.transaction_id and created_at = u.created_at
              and created_at >= $3 and created_at <= $4`;

/** Lateral joins with a limit let each row ask one partition by its primary key. */
const load: Statement = {
  name: 'load-found',
  text: `select t.transaction_id, t.created_at, t.received_at, t.account_id, t.merchant_id, t.corridor, t.amount, t.currency,
                t.type, t.ip, t.device_id, t.country, t.channel, t.client, t.metadata, l.label,
                s.scored_at, s.score, s.risk, s.probability, s.verdict, s.rule_set, s.model, s.attempts, s.degradation, s.reasons,
                case when s.score is not null then 'scored'
                     when exists (select from market.dead_letters d where d.transaction_id = u.transaction_id
                                   and d.replayed_at is null) then 'dead_lettered'
                     else 'accepted' end as status
           from unnest($1::uuid[], $2::timestamptz[]) as u(transaction_id, created_at)
          cross join lateral (select * from market.transactions where ${IN_PARTITION} limit 1) t
           left join lateral (select * from market.scores where ${IN_PARTITION} limit 1) s on true
           left join lateral ${labelInForce(IN_PARTITION)} l on true`,
};

/** Loads rows by id; a row that is not there is left out. */
export async function loadFound(
  { query }: Pick<Database, 'query'>,
  positions: readonly Position[],
): Promise<ReadonlyMap<string, FoundTransaction>> {
  if (positions.length === 0) return new Map();
  const times = positions.map(({ atMs }) => atMs);
  const rows = await query<FoundTransaction>(load, [
    uuidArray(positions.map(({ id }) => id)),
    ...timeValues(times),
  ]);
  return new Map(rows.map((row) => [row.transaction_id, row]));
}
