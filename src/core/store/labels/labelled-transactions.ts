/** Reads the transactions that labels are about. */
import { uuidArray } from '../../../kit/database/binary-array.ts';
import type { Query } from '../../../kit/database/pool.ts';
import { rowsOf } from '../../../kit/database/statement.ts';
import { createdAtMsOf } from '../../domain/transaction.ts';
import { toVector } from '../scores/score-values.ts';
import { type TimeValues, timeValues } from '../within-months.ts';
import { AMONG, type AmongValues, amongValues } from './insert-labels.ts';

/** The account and merchant of a transaction. */
export type Parties = {
  readonly transactionId: string;
  readonly accountId: string;
  readonly merchantId: string;
};

/** All parties of a labelled transaction. */
export type AllParties = Parties & {
  readonly deviceId: string | null;
  readonly ipParty: string | null;
};

/** The parties of a transaction and its client. */
type OwnedParties = Parties & { readonly client: string };

const readParties = rowsOf<OwnedParties, AmongValues>(
  'find-parties',
  `select transaction_id as "transactionId", account_id as "accountId", merchant_id as "merchantId", client
     from market.transactions where ${AMONG}`,
);

/** Client, account and merchant of transactions; an id that is unknown is left out. */
export const findParties = (query: Query, transactionIds: readonly string[]) =>
  readParties(query, ...amongValues(transactionIds));

// The inner select is by key alone: with a condition on fraud the planner might read all frauds for each id.
const readFraudParties = rowsOf<AllParties, AmongValues>(
  'find-fraud-parties',
  `select transaction_id as "transactionId", account_id as "accountId", merchant_id as "merchantId",
          device_id as "deviceId", ip_party as "ipParty"
     from (select transaction_id, account_id, merchant_id, device_id, ip_party, label from market.labels where ${AMONG} offset 0) l
    where label = 'fraud'`,
);

/** Parties of each label of these transactions that says fraud, superseded or not. */
export const findFraudParties = (query: Query, transactionIds: readonly string[]) =>
  readFraudParties(query, ...amongValues(transactionIds));

const readFeatures = rowsOf<
  { readonly transactionId: string; readonly features: Buffer },
  [ids: Buffer, ...times: TimeValues]
>(
  'find-logged-feature',
  `select s.transaction_id as "transactionId", s.features
     from unnest($1::uuid[], $2::timestamptz[]) as u(transaction_id, created_at)
    cross join lateral (
      select s.transaction_id, s.features from market.scores s
       where s.transaction_id = u.transaction_id and s.created_at = u.created_at and s.created_at between $3 and $4
       limit 1) s`,
);

/** A logged feature, by transaction; transactions without a score, or without the feature, are left out. */
export async function findLoggedFeature(
  query: Query,
  transactionIds: readonly string[],
  index: number,
): Promise<Map<string, number>> {
  const times = transactionIds.map((id) => createdAtMsOf(id) ?? 0);
  const rows = await readFeatures(query, uuidArray(transactionIds), ...timeValues(times));
  const values = new Map<string, number>();
  for (const { transactionId, features } of rows) {
    const value = toVector(features)[index] ?? Number.NaN;
    if (!Number.isNaN(value)) values.set(transactionId, value);
  }
  return values;
}
