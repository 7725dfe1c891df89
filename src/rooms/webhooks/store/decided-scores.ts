/** Fields that events have of stored transactions. Each id names its month, so a single partition is read for it. */

import { createdAtMsOf } from '../../../core/domain/transaction.ts';
import {
  SCORE_COLUMNS,
  type ScoreRow,
  toStoredScore,
} from '../../../core/store/scores/stored-scores.ts';
import { type TimeValues, timeValues } from '../../../core/store/within-months.ts';
import { uuidArray } from '../../../kit/database/binary-array.ts';
import type { Query } from '../../../kit/database/pool.ts';
import { rowsOf } from '../../../kit/database/statement.ts';

type Keys = [ids: Buffer, ...times: TimeValues];

const keysOf = (ids: readonly string[]): Keys => [
  uuidArray(ids),
  ...timeValues(ids.map((id) => createdAtMsOf(id) ?? 0)),
];

type Paid = {
  readonly client: string;
  readonly merchant_id: string;
  readonly amount: string;
  readonly currency: string;
};

const readDecided = rowsOf<ScoreRow & Paid, Keys>(
  'locate-decided',
  `select s.*, t.*
           from unnest($1::uuid[], $2::timestamptz[]) as u (transaction_id, created_at)
          cross join lateral (
            select ${SCORE_COLUMNS} from market.scores s
             where s.transaction_id = u.transaction_id and s.created_at = u.created_at
               and s.created_at between $3 and $4 limit 1) s
          cross join lateral (
            select t.client, t.merchant_id, t.amount::text, t.currency
              from market.transactions t
             where t.transaction_id = u.transaction_id and t.created_at = u.created_at
               and t.created_at between $3 and $4 limit 1) t`,
);

/** Finds those scores that are stored; the others' months are detached or dropped. */
export async function locateDecided(query: Query, ids: readonly string[]) {
  const rows = await readDecided(query, ...keysOf(ids));
  return rows.map((row) => {
    const { client, merchant_id, amount, currency } = row;
    return { score: toStoredScore(row), client, paid: { merchant_id, amount, currency } };
  });
}

const readClients = rowsOf<{ readonly transactionId: string; readonly client: string }, Keys>(
  'find-clients',
  `select t.transaction_id as "transactionId", t.client
           from unnest($1::uuid[], $2::timestamptz[]) as u (transaction_id, created_at)
          cross join lateral (
            select t.transaction_id, t.client from market.transactions t
             where t.transaction_id = u.transaction_id and t.created_at = u.created_at
               and t.created_at between $3 and $4 limit 1) t`,
);

/** Clients by transaction, each the submitter; none of a transaction whose month is detached. */
export async function findClients(
  query: Query,
  ids: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const rows = await readClients(query, ...keysOf(ids));
  return new Map(rows.map(({ transactionId, client }) => [transactionId, client]));
}
