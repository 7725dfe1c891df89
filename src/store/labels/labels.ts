/** Adds labels, each once, and counts them by day; reads the transactions they are about. */

import type { WriteMark } from '../../domain/consistency-token.ts';
import { Failure } from '../../domain/failure.ts';
import type { Label, LabelReporter } from '../../domain/label.ts';
import { MonthDetached, monthOf } from '../../domain/month.ts';
import { createdAtMsOf } from '../../domain/transaction-id.ts';
import { float8Array, textArray, timestampArray, uuidArray } from '../database/binary-array.ts';
import { LOCK_NOT_AVAILABLE, sqlStateOf } from '../database/pg-failure.ts';
import type { Database, Query, Statement } from '../database/pool.ts';
import { toVector } from '../scores/vector-bytes.ts';

export type NewLabels = {
  /** Generated before the first try of a request and kept over all of them. */
  readonly batchId: string;
  readonly receivedAtMs: number;
  readonly reporter: LabelReporter;
  /** At most 1,000, sorted by primary key: overlapping requests then wait instead of deadlocking. */
  readonly labels: readonly Label[];
};

type InsertedLabels = {
  /** Positions in `labels` of those that this request added, by this try or an earlier one. */
  readonly added: readonly number[];
  readonly write: WriteMark;
};

// Requests that label the same transactions wait for each other, in the order of ids, so that each sees which label
// decided before. Transactions are not updated, so nobody else waits.
const lockStatement: Statement = {
  name: 'lock-labelled',
  text: `select json_agg(u.transaction_id) as "transactionId", json_agg(t.corridor) as corridor,
                json_agg(t.currency) as currency, json_agg(t.amount) as amount
           from unnest($1::uuid[], $2::timestamptz[]) as u(transaction_id, created_at)
          cross join lateral (
            select corridor, currency, amount::text from market.transactions t
             where t.transaction_id = u.transaction_id and t.created_at = u.created_at
             limit 1 for no key update) t
         having count(*) > 0`,
};

// Arrays side by side in a select list advance in step and in order. Labels are read as they were before this statement,
// and the increments of a transaction are 1 for the label that decides now and -1 for the one that did. What is counted of
// a transaction comes from the lock: a detach may take it away between both statements, and its labels only later.
// Postgres expects ten rows of an array of unknown length, and would compare each label with each transaction; a full join is
// hashed or merged always, and what has no new label counts nothing.
const insertStatement: Statement = {
  name: 'insert-labels',
  text: `
    with stored as (
      insert into market.labels (transaction_id, created_at, labelled_at, label, source, received_at, batch_id,
                          account_id, merchant_id, amount_to_median, note, client, identity)
      select unnest($3::uuid[]), unnest($4::timestamptz[]), unnest($5::timestamptz[]), unnest($6::text[]),
             unnest($7::text[]), $2, $1, unnest($8::text[]), unnest($9::text[]), unnest($10::float8[]),
             unnest($11::text[]), $12, $13
      on conflict do nothing
      returning transaction_id, created_at, labelled_at, label
    ), located as (
      select distinct unnest($3::uuid[]) as transaction_id, unnest($14::text[]) as corridor, unnest($15::text[]) as currency,
             unnest($16::text[])::numeric as amount
    ), newest as (
      select distinct on (transaction_id) * from stored order by transaction_id, labelled_at desc, label
    ), tallied as (
      insert into market.daily_increments (day, corridor, currency, outcome, count, amount, score_sum)
      select (n.created_at at time zone 'UTC')::date, t.corridor, t.currency, o.label, sum(o.count), sum(o.count * t.amount), 0
        from newest n full join located t using (transaction_id)
        left join lateral (
             select label, labelled_at from market.labels l
              where l.transaction_id = n.transaction_id and l.created_at = n.created_at
              order by labelled_at desc, label limit 1) b on true
       cross join lateral (values (n.label, 1), (b.label, -1)) o (label, count)
       where o.label is not null
         and (b.label is null or n.label <> b.label and (n.labelled_at, b.label) > (b.labelled_at, n.label))
       group by 1, 2, 3, 4
    )
    select count(*)::int4 as stored, pg_current_xact_id()::text as xid from stored`,
};

// Lateral, so that each row asks one partition by its primary key.
const ownStatement: Statement = {
  name: 'find-own-labels',
  text: `select u.ordinal::int4 as ordinal
           from unnest($2::uuid[], $3::timestamptz[], $4::timestamptz[], $5::text[], $6::text[])
                with ordinality as u(transaction_id, created_at, labelled_at, label, source, ordinal)
          cross join lateral (
            select from market.labels l
             where l.transaction_id = u.transaction_id and l.created_at = u.created_at
               and l.labelled_at = u.labelled_at and l.label = u.label and l.source = u.source
               and l.batch_id = $1
             limit 1) l`,
};

/**
 * Adds the labels that do not exist yet and counts them. Waits for a concurrent request that labels one of these
 * transactions. Throws MonthDetached where one of them is not there: its month was detached a moment ago.
 * @param query of an open database transaction
 */
export async function insertLabels(query: Query, batch: NewLabels): Promise<InsertedLabels> {
  const { batchId, receivedAtMs, reporter, labels } = batch;
  const key = [
    uuidArray(labels.map((label) => label.transactionId)),
    timestampArray(labels.map((label) => label.createdAtMs)),
    timestampArray(labels.map((label) => label.labelledAtMs)),
    textArray(labels.map((label) => label.label)),
    textArray(labels.map((label) => label.source)),
  ];
  const located = await lockLabelled(query, labels, key.slice(0, 2));
  const [row] = await query<{ stored: number; xid: string }>(insertStatement, [
    ...[batchId, new Date(receivedAtMs), ...key],
    textArray(labels.map((label) => label.accountId)),
    textArray(labels.map((label) => label.merchantId)),
    float8Array(labels.map((label) => label.amountToMedian)),
    textArray(labels.map((label) => label.note)),
    ...[reporter.client, reporter.identity],
    textArray(located.map(({ corridor }) => corridor)),
    textArray(located.map(({ currency }) => currency)),
    textArray(located.map(({ amount }) => amount)),
  ]);
  if (row === undefined) throw new Error('count(*) gave no row');
  const write = { xid: row.xid, isBound: false };
  if (row.stored === labels.length) return { added: labels.map((_, at) => at), write };
  const own = await query<{ ordinal: number }>(ownStatement, [batchId, ...key]);
  return { added: own.map(({ ordinal }) => ordinal - 1), write };
}

const probeStatement: Statement = {
  name: '',
  text: 'lock table market.transactions in row share mode nowait',
};

/**
 * The failure of a lock that did not come in time. Postgres does not say whether it waited for a row or for the whole table, so
 * the table is asked for once more: where it is not to be had, nobody else labels these transactions, and the store is away.
 */
export async function whyStillRunning(
  database: Pick<Database, 'transaction'>,
  error: unknown,
): Promise<unknown> {
  if (!(error instanceof Failure) || error.code !== STILL_RUNNING) return error;
  try {
    await database.transaction((query) => query(probeStatement));
    return error;
  } catch (table) {
    return sqlStateOf(table) === LOCK_NOT_AVAILABLE ? error.cause : table;
  }
}

/** What is counted of a labelled transaction. */
type Located = {
  readonly transactionId: string;
  readonly corridor: string;
  readonly currency: string;
  readonly amount: string;
};

const STILL_RUNNING = 'STILL_RUNNING';

const labelledElsewhere = (cause: unknown) =>
  new Failure(
    'conflict',
    STILL_RUNNING,
    'another request that labels one of these transactions is still running',
    { cause },
  );

/**
 * The transaction of each label, locked. A lock that does not come is another request's, which labels them, unless
 * `whyStillRunning` finds otherwise: Postgres says that it waits for a row only to the first in the queue.
 */
async function lockLabelled(
  query: Query,
  labels: readonly Label[],
  values: readonly unknown[],
): Promise<Located[]> {
  const [columns] = await query<Columns<Located>>(lockStatement, values).catch((error: unknown) => {
    throw sqlStateOf(error) === LOCK_NOT_AVAILABLE ? labelledElsewhere(error) : error;
  });
  const byId = new Map(
    columns?.transactionId.map((transactionId, row) => [
      transactionId,
      {
        transactionId,
        corridor: columns.corridor[row] as string,
        currency: columns.currency[row] as string,
        amount: columns.amount[row] as string,
      },
    ]),
  );
  const missing = labels.filter(({ transactionId }) => !byId.has(transactionId));
  if (missing.length > 0) {
    throw new MonthDetached(new Set(missing.map(({ createdAtMs }) => monthOf(createdAtMs))));
  }
  return labels.flatMap(({ transactionId }) => byId.get(transactionId) ?? []);
}

/** One row with a JSON array a column takes the reading thread a third of the time of a row each. */
type Columns<Row> = { readonly [Field in keyof Row]: readonly Row[Field][] };

/** The account and merchant of a transaction. */
export type Parties = {
  readonly transactionId: string;
  readonly accountId: string;
  readonly merchantId: string;
};

/** The parties of a transaction and its client, which is null for a row that predates the column. */
export type OwnedParties = Parties & { readonly client: string | null };

const partiesStatement: Statement = {
  name: 'find-parties',
  text: `select json_agg(t.transaction_id) as "transactionId", json_agg(t.account_id) as "accountId",
                json_agg(t.merchant_id) as "merchantId", json_agg(t.client) as client
           from unnest($1::uuid[], $2::timestamptz[]) as u(transaction_id, created_at)
          cross join lateral (
            select t.transaction_id, t.account_id, t.merchant_id, t.client from market.transactions t
             where t.transaction_id = u.transaction_id and t.created_at = u.created_at
             limit 1) t
         having count(*) > 0`,
};

/** Client, account and merchant of transactions; an id that is unknown is left out. */
export async function findParties(
  query: Query,
  transactionIds: readonly string[],
): Promise<OwnedParties[]> {
  const times = transactionIds.map((id) => createdAtMsOf(id) ?? 0);
  const values = [uuidArray(transactionIds), timestampArray(times)];
  const [columns] = await query<Columns<OwnedParties>>(partiesStatement, values);
  if (columns === undefined) return [];
  return columns.transactionId.map((transactionId, row) => ({
    transactionId,
    accountId: columns.accountId[row] as string,
    merchantId: columns.merchantId[row] as string,
    client: columns.client[row] as string | null,
  }));
}

// The inner select is by key alone: with a condition on fraud the planner might read all frauds for each id.
const fraudPartiesStatement: Statement = {
  name: 'find-fraud-parties',
  text: `select transaction_id as "transactionId", account_id as "accountId", merchant_id as "merchantId"
           from (select transaction_id, account_id, merchant_id, label from market.labels
                  where transaction_id = any($1::uuid[]) and created_at >= $2 and created_at <= $3
                 offset 0) l
          where label = 'fraud'`,
};

/** Account and merchant of each label of these transactions that says fraud, superseded or not. */
export async function findFraudParties(
  query: Query,
  transactionIds: readonly string[],
): Promise<Parties[]> {
  const times = transactionIds.map((id) => createdAtMsOf(id) ?? 0);
  return await query<Parties>(fraudPartiesStatement, [
    uuidArray(transactionIds),
    new Date(Math.min(...times)),
    new Date(Math.max(...times)),
  ]);
}

// An empty string where the vector is shorter.
const loggedFeatureStatement: Statement = {
  name: 'find-logged-feature',
  text: `select s.transaction_id as "transactionId", s.bytes
           from unnest($1::uuid[], $2::timestamptz[]) as u(transaction_id, created_at)
          cross join lateral (
            select s.transaction_id, substring(s.features from 8 * $3::int + 1 for 8) as bytes from market.scores s
             where s.transaction_id = u.transaction_id and s.created_at = u.created_at
             limit 1) s`,
};

/** One logged feature, by transaction; those without a score, or where it is missing, are left out. */
export async function findLoggedFeature(
  query: Query,
  transactionIds: readonly string[],
  index: number,
): Promise<Map<string, number>> {
  const rows = await query<{ transactionId: string; bytes: Buffer }>(loggedFeatureStatement, [
    uuidArray(transactionIds),
    timestampArray(transactionIds.map((id) => createdAtMsOf(id) ?? 0)),
    index,
  ]);
  const values = new Map<string, number>();
  for (const { transactionId, bytes } of rows) {
    const [value = Number.NaN] = toVector(bytes);
    if (!Number.isNaN(value)) values.set(transactionId, value);
  }
  return values;
}
