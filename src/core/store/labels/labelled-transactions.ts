/** Reads the transactions that labels are about. */
import { timestampArray, uuidArray } from '../../../kit/database/binary-array.ts';
import type { Columns } from '../../../kit/database/columns.ts';
import type { Query, Statement } from '../../../kit/database/pool.ts';
import { createdAtMsOf } from '../../domain/transaction-id.ts';
import { toVector } from '../scores/vector-bytes.ts';
import { AMONG, amongValues } from './among.ts';

/** The account and merchant of a transaction. */
export type Parties = {
  readonly transactionId: string;
  readonly accountId: string;
  readonly merchantId: string;
};

/** The parties of a transaction and its client. */
export type OwnedParties = Parties & { readonly client: string };

const partiesStatement: Statement = {
  name: 'find-parties',
  text: `select json_agg(t.transaction_id) as "transactionId", json_agg(t.account_id) as "accountId",
                json_agg(t.merchant_id) as "merchantId", json_agg(t.client) as client
           from market.transactions t
          where ${AMONG}
         having count(*) > 0`,
};

/** Client, account and merchant of transactions; an id that is unknown is left out. */
export async function findParties(
  query: Query,
  transactionIds: readonly string[],
): Promise<OwnedParties[]> {
  const values = amongValues(transactionIds);
  const [columns] = await query<Columns<OwnedParties>>(partiesStatement, values);
  if (columns === undefined) return [];
  return columns.transactionId.map((transactionId, row) => ({
    transactionId,
    accountId: columns.accountId[row] as string,
    merchantId: columns.merchantId[row] as string,
    client: columns.client[row] as string,
  }));
}

// The inner select is by key alone: with a condition on fraud the planner might read all frauds for each id.
const fraudPartiesStatement: Statement = {
  name: 'find-fraud-parties',
  text: `select transaction_id as "transactionId", account_id as "accountId", merchant_id as "merchantId"
           from (select transaction_id, account_id, merchant_id, label from market.labels
                  where ${AMONG}
                 offset 0) l
          where label = 'fraud'`,
};

/** Account and merchant of each label of these transactions that says fraud, superseded or not. */
export async function findFraudParties(
  query: Query,
  transactionIds: readonly string[],
): Promise<Parties[]> {
  return await query<Parties>(fraudPartiesStatement, amongValues(transactionIds));
}

const loggedFeatureStatement: Statement = {
  name: 'find-logged-feature',
  text: `select s.transaction_id as "transactionId", s.features
           from unnest($1::uuid[], $2::timestamptz[]) as u(transaction_id, created_at)
          cross join lateral (
            select s.transaction_id, s.features from market.scores s
             where s.transaction_id = u.transaction_id and s.created_at = u.created_at
             limit 1) s`,
};

/** A logged feature, by transaction; transactions without a score, or without the feature, are left out. */
export async function findLoggedFeature(
  query: Query,
  transactionIds: readonly string[],
  index: number,
): Promise<Map<string, number>> {
  const rows = await query<{ transactionId: string; features: Buffer }>(loggedFeatureStatement, [
    uuidArray(transactionIds),
    timestampArray(transactionIds.map((id) => createdAtMsOf(id) ?? 0)),
  ]);
  const values = new Map<string, number>();
  for (const { transactionId, features } of rows) {
    const value = toVector(features)[index] ?? Number.NaN;
    if (!Number.isNaN(value)) values.set(transactionId, value);
  }
  return values;
}
