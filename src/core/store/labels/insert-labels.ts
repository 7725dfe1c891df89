/** Adds labels, each once, and counts them by day. */
import {
  float8Array,
  textArray,
  timestampArray,
  uuidArray,
} from '../../../kit/database/binary-array.ts';
import { LOCK_NOT_AVAILABLE, sqlStateOf } from '../../../kit/database/pg-failure.ts';
import type { Database, Query, Statement } from '../../../kit/database/pool.ts';
import { epochMs, rowsOf } from '../../../kit/database/statement.ts';
import { Failure } from '../../../kit/words/failure.ts';
import { MonthDetached, monthOf } from '../../../kit/words/month.ts';
import { WRITTEN_MS_MAX, WRITTEN_MS_MIN } from '../../../kit/words/wire-time.ts';
import { countDays, type DayTally, negative } from '../../domain/day-tally.ts';
import { type Label, type LabelReporter, outranks } from '../../domain/label.ts';
import { createdAtMsOf, type Transaction } from '../../domain/transaction.ts';
import { addIncrements, incrementValues } from '../tallies/day-tallies.ts';
import { timeValues } from '../within-months.ts';

type NewLabels = {
  /** Generated before the first try of a request and kept over all of them. */
  readonly batchId: string;
  readonly receivedAtMs: number;
  readonly reporter: LabelReporter;
  /** At most 1,000, sorted by primary key: overlapping requests then wait instead of deadlocking. */
  readonly labels: readonly Label[];
};

/**
 * Rows of some transactions, in the partitions of their months. One scan of the primary key for all ids takes a fifth of the time
 * of a lookup for each.
 */
export const AMONG = 'transaction_id = any($1::uuid[]) and created_at >= $2 and created_at <= $3';

// Requests that label the same transactions wait for each other, in the order of ids, so that each sees what was said
// before. Transactions are not updated, so nobody else waits.
const lockTransactions = rowsOf<Located, AmongValues>(
  'lock-labelled',
  `select transaction_id as "transactionId", corridor, currency, amount, device_id as "deviceId", ip_party as "ipParty" from market.transactions
    where ${AMONG} order by transaction_id for no key update`,
);

// A statement of its own after the lock, so that it sees what the request that held the lock has added.
const findDeciding = rowsOf<Said, AmongValues>(
  'find-deciding-labels',
  `select distinct on (transaction_id) transaction_id as "transactionId", label, ${epochMs('labelled_at')} as "labelledAtMs"
     from market.labels where ${AMONG} order by transaction_id, labelled_at desc, label`,
);

// Lateral, so that each row asks one partition by its primary key.
const readKnown = rowsOf<
  { readonly position: number; readonly isOwn: boolean },
  [batchId: string, least: string, greatest: string, ...key: readonly Buffer[]]
>(
  'find-held-labels',
  `select u.ordinal::int4 - 1 as position, l.batch_id = $1 as "isOwn"
           from unnest($4::uuid[], $5::timestamptz[], $6::timestamptz[], $7::text[], $8::text[])
                with ordinality as u(transaction_id, created_at, labelled_at, label, source, ordinal)
          cross join lateral (
            select l.batch_id from market.labels l
             where l.transaction_id = u.transaction_id and l.created_at = u.created_at
               and l.created_at between $2 and $3 and l.labelled_at = u.labelled_at and l.label = u.label and l.source = u.source
             limit 1) l`,
);

// Arrays side by side in a select list advance in step and in order.
const insertStatement: Statement = {
  name: 'insert-labels',
  text: `
    with stored as (
      insert into market.labels (transaction_id, created_at, labelled_at, label, source, received_at, batch_id,
                          account_id, merchant_id, device_id, ip_party, amount_to_median, note, client, identity, came_alone)
      select unnest($3::uuid[]), unnest($4::timestamptz[]), unnest($5::timestamptz[]), unnest($6::text[]),
             unnest($7::text[]), $2, $1, unnest($8::text[]), unnest($9::text[]), unnest($10::text[]),
             unnest($11::text[]), unnest($12::float8[]), unnest($13::text[]), $14, $15, $16
    ), tallied as (${addIncrements(17)})
    select`,
};

export type AmongValues = [ids: Buffer, from: Date, to: Date];

/**
 * Adds the labels that do not exist yet and counts them. Waits for a concurrent request that labels one of these
 * transactions. Throws MonthDetached where one of them is not there: its month was detached a moment ago.
 * @param query of an open database transaction
 * @returns positions of the labels that this request added, by this try or an earlier one
 */
export async function insertLabels(query: Query, batch: NewLabels): Promise<number[]> {
  const { batchId, receivedAtMs, reporter, labels } = batch;
  const located = await lockLabelled(query, labels);
  const deciding = byId(await findDeciding(query, ...amongValues(idsOf(labels))));
  const known = await findKnown(query, batchId, labels, deciding);
  const fresh = labels.filter((label) => !known.has(label));
  await query(insertStatement, [
    batchId,
    new Date(receivedAtMs),
    ...keyValues(fresh),
    textArray(fresh.map((label) => label.accountId)),
    textArray(fresh.map((label) => label.merchantId)),
    textArray(fresh.map(({ transactionId }) => located.get(transactionId)?.deviceId ?? null)),
    textArray(fresh.map(({ transactionId }) => located.get(transactionId)?.ipParty ?? null)),
    float8Array(fresh.map((label) => label.amountToMedian)),
    textArray(fresh.map((label) => label.note)),
    reporter.client,
    reporter.identity,
    labels.length === 1,
    // Columns that are counted come from the transaction's lock: a detach may take it away meanwhile, and its labels only later.
    ...incrementValues(countDecided(fresh, located, deciding)),
  ]);
  return labels.flatMap((label, at) => (known.get(label) === false ? [] : [at]));
}

const idsOf = (labels: readonly Label[]) => labels.map(({ transactionId }) => transactionId);

/** Values that identify labels, a column each. */
function keyValues(labels: readonly Label[]): readonly Buffer[] {
  return [
    uuidArray(idsOf(labels)),
    timestampArray(labels.map((label) => label.createdAtMs)),
    timestampArray(labels.map((label) => label.labelledAtMs)),
    textArray(labels.map((label) => label.label)),
    textArray(labels.map((label) => label.source)),
  ];
}

/** The label that decides a transaction now. */
type Said = Pick<Label, 'transactionId' | 'label' | 'labelledAtMs'>;

const byId = <Row extends { readonly transactionId: string }>(rows: readonly Row[]) =>
  new Map(rows.map((row) => [row.transactionId, row]));

/** Finds the labels that exist, and whether an earlier try of this request added them. */
async function findKnown(
  query: Query,
  batchId: string,
  labels: readonly Label[],
  deciding: ReadonlyMap<string, Said>,
): Promise<ReadonlyMap<Label, boolean>> {
  const asked = labels.filter(({ transactionId }) => deciding.has(transactionId));
  if (asked.length === 0) return new Map();
  const [, least, greatest] = timeValues(asked.map(({ createdAtMs }) => createdAtMs));
  const rows = await readKnown(query, batchId, least, greatest, ...keyValues(asked));
  return new Map(rows.map(({ position, isOwn }) => [asked[position] as Label, isOwn]));
}

/** 1 for the label that decides a transaction from now on, and -1 for the one that did. */
function countDecided(
  fresh: readonly Label[],
  located: ReadonlyMap<string, Located>,
  deciding: ReadonlyMap<string, Said>,
): DayTally[] {
  const newest = new Map<string, Label>();
  for (const label of fresh) {
    const other = newest.get(label.transactionId);
    if (other === undefined || outranks(label, other)) newest.set(label.transactionId, label);
  }
  const [more, fewer] = [countDays(), countDays()];
  for (const [transactionId, label] of newest) {
    const before = deciding.get(transactionId);
    if (before !== undefined && (before.label === label.label || !outranks(label, before)))
      continue;
    const { createdAtMs } = label;
    const counted = { createdAtMs, ...(located.get(transactionId) as Located) };
    more.addLabel(counted, label.label);
    if (before !== undefined) fewer.addLabel(counted, before.label);
  }
  return [...more.list(), ...fewer.list().map(negative)];
}

const probeStatement: Statement = {
  text: 'lock table only market.transactions in row share mode nowait',
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

/** Columns of a labelled transaction that are counted, and the parties that its labels do not name. */
type Located = Pick<
  Transaction,
  'transactionId' | 'corridor' | 'currency' | 'amount' | 'deviceId'
> & {
  readonly ipParty: string | null;
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
 * The labelled transactions by id, locked. A lock that does not come is another request's, which labels them, unless
 * `whyStillRunning` finds otherwise: Postgres says that it waits for a row only to the first in the queue.
 */
async function lockLabelled(
  query: Query,
  labels: readonly Label[],
): Promise<ReadonlyMap<string, Located>> {
  const asked = lockTransactions(query, ...amongValues(idsOf(labels)));
  const rows = await asked.catch((error: unknown) => {
    throw sqlStateOf(error) === LOCK_NOT_AVAILABLE ? labelledElsewhere(error) : error;
  });
  const located = byId(rows);
  const missing = labels.filter(({ transactionId }) => !located.has(transactionId));
  if (missing.length > 0) {
    throw new MonthDetached(new Set(missing.map(({ createdAtMs }) => monthOf(createdAtMs))));
  }
  return located;
}

/** Makes the values of AMONG, by which a statement about labels reaches many transactions; ids that name no time find nothing. */
export function amongValues(transactionIds: readonly string[]): AmongValues {
  const times = transactionIds.flatMap((id) => createdAtMsOf(id) ?? []);
  return [
    uuidArray(transactionIds),
    new Date(Math.min(...times, WRITTEN_MS_MAX)),
    new Date(Math.max(...times, WRITTEN_MS_MIN)),
  ];
}
