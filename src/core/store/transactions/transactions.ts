/**
 * Writes accepted transactions: one statement, which is its own commit, claims the idempotency keys, stores the
 * transactions, counts them and opens their rows; where one key is held it changes nothing. Keys that a sealed
 * slice may hold are looked up before. read-transactions.ts reads transactions.
 */

import type { Guard } from '../../../kit/breakers/breaker.ts';
import {
  hexUuidArray,
  textArray,
  timestampArray,
  uuidArray,
} from '../../../kit/database/binary-array.ts';
import { STAMP } from '../../../kit/database/moment.ts';
import {
  CHECK_VIOLATION,
  constraintOf,
  sqlStateOf,
  tableOf,
  UNIQUE_VIOLATION,
} from '../../../kit/database/pg-failure.ts';
import type { Database, Statement } from '../../../kit/database/pool.ts';
import { onlyOf, rowsOf } from '../../../kit/database/statement.ts';
import type { Trace } from '../../../kit/traces/trace.ts';
import { given } from '../../../kit/words/describe-issue.ts';
import { Failure } from '../../../kit/words/failure.ts';
import { countDays } from '../../domain/day-tally.ts';
import { partyOfAddress } from '../../domain/personal.ts';
import type { OpenRow, Transaction } from '../../domain/transaction.ts';
import { ALL_CORRIDORS } from '../../score/rollout/holding.ts';
import type { KeyDigests } from '../idempotency-keys/key-slice-rows.ts';
import type { KeyRoute, KeySlices } from '../idempotency-keys/key-slices.ts';
import {
  digestKeys,
  findKeys,
  findKeysInSlices,
  findKnownKeys,
  type KnownKey,
  pickDigests,
} from '../idempotency-keys/key-slices.ts';
import { noteLateRows } from '../late-rows.ts';
import { openedValues, openRows } from '../open-rows/open-rows.ts';
import { addIncrements, incrementValues } from '../tallies/day-tallies.ts';

/** A transaction to be stored, with its additional columns; Postgres sets when it was received. */
export type NewTransaction = Omit<Transaction, 'receivedAtMs'> & {
  readonly idempotencyKey: string;
  /** The first 16 bytes of SHA-256 of the validated body before defaults, in hexadecimal. */
  readonly fingerprint: string;
  /** JSON text. */
  readonly metadata: string | null;
  /** Trace of the request, which is not stored; absent where traces are off. */
  readonly trace?: Trace | undefined;
};

export type NewBatch = {
  readonly client: string;
  /** At most 1,000, sorted by idempotency key: overlapping batches then wait instead of deadlocking. */
  readonly transactions: readonly NewTransaction[];
  /** The rows that hold all of them while they are open. */
  readonly rows: readonly OpenRow[];
  /** Wraps the commit. */
  readonly guard?: Guard;
};

// Arrays side by side in a select list advance in step, without the tuple store per column that unnest() of
// several arrays fills.
const insertKeys = `insert into market.idempotency_keys (slice, digest, fingerprint, transaction_id)
      select $1::int4, unnest($2::uuid[]), unnest($3::uuid[]), unnest($4::uuid[])`;
const insertTransactions = `insert into market.transactions (transaction_id, created_at, received_at, account_id, merchant_id, amount,
                                currency, corridor, type, ip, ip_party, device_id, country, channel, metadata, client)
      select transaction_id, created_at, (select at from stamp), account_id, merchant_id, amount::numeric,
             currency, corridor, type, ip, ip_party, device_id, country, channel, metadata::jsonb, $18
        from (select unnest($4::uuid[]) as transaction_id, unnest($5::timestamptz[]) as created_at,
                     unnest($6::text[]) as account_id, unnest($7::text[]) as merchant_id,
                     unnest($8::text[]) as amount, unnest($9::text[]) as currency,
                     unnest($10::text[]) as corridor, unnest($11::text[]) as type, unnest($12::text[]) as ip,
                     unnest($13::text[]) as ip_party, unnest($14::text[]) as device_id, unnest($15::text[]) as country,
                     unnest($16::text[]) as channel, unnest($17::text[]) as metadata) u`;

// The keys come first by construction: rivals then wait for each other in key order alone, and a held key costs
// no transactions written in vain. All rows have one stamp.
const claimStatement: Statement = {
  name: 'claim-transactions',
  text: `
    with claimed as (
      ${insertKeys}
      returning 1
    ), complete as materialized (
      select count(*) = cardinality($4::uuid[]) as is_complete from claimed
    ), stamp as materialized (
      select ${STAMP} as at
    ), stored as (
      ${insertTransactions}
       where (select is_complete from complete)
    ), tallied as (
      ${addIncrements(19)}
       where (select is_complete from complete)
    ), opened as (
      ${openRows(28, '(select at from stamp)')}
       where (select is_complete from complete)
    ), late as (${noteLateRows('$34::timestamptz', '(select is_complete from complete)')}
    )
    select at as "receivedAt" from stamp where (select is_complete from complete)`,
};

/** Prefix of the constraints by which a declared field takes tokens alone. */
export const PERSONAL = 'personal_';

/** A slice is open for hours or days, so a claim that meets the end of one meets no second. */
const CLAIMS_MAX = 4;

type Claim =
  | { readonly receivedAtMs: number }
  /** Nothing is stored; says who holds which keys of the batch. */
  | { readonly known: ReadonlyMap<NewTransaction, KnownKey> };

/** Stores all of a batch, or nothing where a key is held. Waits for a concurrent claimant of the same key. */
export async function claimTransactions(
  database: Pick<Database, 'query' | 'write'>,
  slices: KeySlices,
  batch: NewBatch,
): Promise<Claim> {
  const rows = batch.transactions;
  const digests = digestKeys(
    batch.client,
    rows.map((row) => row.idempotencyKey),
  );
  for (let claims = 0; claims < CLAIMS_MAX; claims++) {
    const route = await slices.route(digests);
    const standing = await findStanding(database, digests, route);
    if (standing.length > 0) return { known: knownOf(rows, standing) };
    const tried = await tryClaim(database, route, digests, batch);
    if (typeof tried === 'number') return { receivedAtMs: tried };
    if (tried === 'sealed') {
      await slices.refresh();
      continue;
    }
    const known = await findKeys(database.query, digests);
    if (known.length > 0) return { known: knownOf(rows, known) };
  }
  throw new Failure('transient', 'KEYS_MOVED', 'the slices of idempotency keys keep changing');
}

/** Finds who holds which keys of rows that are not to be stored; keys that nobody holds are left out. */
export async function findHolders(
  { query }: Pick<Database, 'query'>,
  client: string,
  rows: readonly NewTransaction[],
): Promise<ReadonlyMap<NewTransaction, KnownKey>> {
  const keys = rows.map((row) => row.idempotencyKey);
  return knownOf(rows, await findKnownKeys(query, client, keys));
}

/** Looks keys up in sealed slices, which never change, so this may run before the claim. */
async function findStanding(
  { query }: Pick<Database, 'query'>,
  digests: KeyDigests,
  { suspects, slices }: KeyRoute,
): Promise<KnownKey[]> {
  if (suspects.length === 0) return [];
  const asked = suspects.length === digests.count ? digests : pickDigests(digests, suspects);
  const found = await findKeysInSlices(query, asked, slices);
  return found.map((key) => ({ ...key, position: suspects[key.position] as number }));
}

function knownOf(
  rows: readonly NewTransaction[],
  known: readonly KnownKey[],
): ReadonlyMap<NewTransaction, KnownKey> {
  return new Map(known.map((key) => [rows[key.position] as NewTransaction, key]));
}

/** When the batch was received, epoch milliseconds; otherwise nothing is stored. */
async function tryClaim(
  database: Pick<Database, 'write'>,
  { open }: KeyRoute,
  digests: KeyDigests,
  batch: NewBatch,
): Promise<'known' | 'sealed' | number> {
  try {
    const values = claimValues(open, digests, batch);
    const [row] = await database.write<{ receivedAt: Date }>(claimStatement, values, batch.guard);
    if (row === undefined) throw new Error('a claim without an error has stored its batch');
    return row.receivedAt.getTime();
  } catch (error) {
    // The failure has no cause, as Postgres quotes the row with its clear values.
    if (constraintOf(error)?.startsWith(PERSONAL) === true) {
      throw new Failure('unavailable', 'PERSONAL_UNREAD', 'a personal field was declared just now');
    }
    if (tableOf(error)?.startsWith('idempotency_keys') !== true) throw error;
    const state = sqlStateOf(error);
    if (state === UNIQUE_VIOLATION) return 'known';
    // The slice is sealed, or dropped already.
    if (state === CHECK_VIOLATION) return 'sealed';
    throw error;
  }
}

function claimValues(slice: number, { array }: KeyDigests, batch: NewBatch): readonly unknown[] {
  const rows = batch.transactions;
  const days = countDays();
  for (const row of rows) days.add(row, null);
  return [
    slice,
    array,
    hexUuidArray(rows.map((row) => row.fingerprint)),
    uuidArray(rows.map((row) => row.transactionId)),
    timestampArray(rows.map((row) => row.createdAtMs)),
    textArray(rows.map((row) => row.accountId)),
    textArray(rows.map((row) => row.merchantId)),
    textArray(rows.map((row) => row.amount)),
    textArray(rows.map((row) => row.currency)),
    textArray(rows.map((row) => row.corridor)),
    textArray(rows.map((row) => row.type)),
    textArray(rows.map((row) => row.ip)),
    textArray(rows.map((row) => partyOfAddress(row.ip))),
    textArray(rows.map((row) => row.deviceId)),
    textArray(rows.map((row) => row.country)),
    textArray(rows.map((row) => row.channel)),
    textArray(rows.map((row) => row.metadata)),
    batch.client,
    ...incrementValues(days.list()),
    ...openedValues(batch.rows),
    new Date(
      rows.reduce((least, row) => Math.min(least, row.createdAtMs), Number.POSITIVE_INFINITY),
    ),
  ];
}

const readReceivedAt = onlyOf<{ receivedAt: Date }, [transactionId: string, createdAt: Date]>(
  'read-received-at',
  'select received_at as "receivedAt" from market.transactions where transaction_id = $1 and created_at = $2',
);

/** When a stored transaction was received, for a claim whose own answer was lost. */
export async function readReceivedAtMs(
  { query }: Pick<Database, 'query'>,
  { transactionId, createdAtMs }: Pick<Transaction, 'transactionId' | 'createdAtMs'>,
): Promise<number> {
  return (await readReceivedAt(query, transactionId, new Date(createdAtMs))).receivedAt.getTime();
}

/**
 * Corridors that transactions of a market may name: its rows of shared.corridors. `migrate` writes these, and an
 * operator who moves a corridor to another market.
 */
const readCorridors = rowsOf<{ corridor: string }>(
  'list-corridors',
  'select corridor from market.corridors order by corridor',
);

export const listCorridors = async ({ query }: Pick<Database, 'query'>) =>
  (await readCorridors(query)).map((row) => row.corridor);

/** The corridors that a decision names. A corridor that is added later is in none of them. @throws Failure `not-found` */
export async function corridorsNamed(
  database: Pick<Database, 'query'>,
  corridor: string,
): Promise<string[]> {
  const known = await listCorridors(database);
  if (corridor === ALL_CORRIDORS) return known;
  if (known.includes(corridor)) return [corridor];
  const why = `there is no corridor ${given(corridor)}; the market has ${known.join(', ')}`;
  throw new Failure('not-found', 'CORRIDOR_UNKNOWN', why);
}
