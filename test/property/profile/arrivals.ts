/** Transactions as they arrive: shuffled, late, of few parties and several currencies. */
import fc from 'fast-check';
import type { LabelValue } from '../../../src/core/domain/label.ts';
import { partyOfAddress } from '../../../src/core/domain/personal.ts';
import type { Transaction } from '../../../src/core/domain/transaction.ts';
import { ensurePartitions } from '../../../src/core/store/partitions/partitions.ts';
import type { Database } from '../../../src/kit/database/pool.ts';
import { monthOf } from '../../../src/kit/words/month.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** A Sunday shortly before midnight, so that hours, days, weeks and months all turn. */
export const BASE_MS = Date.UTC(2026, 4, 31, 22, 15);
/** `received_at` of the first arrival; each next one a millisecond later. */
export const ARRIVED_MS = Date.UTC(2026, 11, 1);

const CURRENCY_SCALES = { USD: 2, JPY: 0, KWD: 3 } as const;
type Currency = keyof typeof CURRENCY_SCALES;

/** Offsets that fall on the edges of windows, and between them. */
const offsetMs = fc.oneof(
  fc.integer({ min: -3 * HOUR_MS, max: 3 * HOUR_MS }),
  fc.integer({ min: -80, max: 80 }).map((halfHours) => (halfHours * HOUR_MS) / 2),
  fc.integer({ min: -40, max: 40 }).map((days) => days * DAY_MS),
  fc.integer({ min: -200 * DAY_MS, max: 10 * DAY_MS }),
);

export type Arrival = {
  readonly transaction: Transaction;
  readonly worker: 0 | 1;
  /** Further events: an earlier transaction is delivered again, or the cache is cleared. */
  readonly event: 'none' | 'redeliver' | 'evict' | 'race';
  readonly which: number;
  /** Labels of earlier transactions that arrive before this one is folded. */
  readonly label: ArrivingLabel | null;
};

export type ArrivingLabel = {
  /** Index of one of those that have arrived. */
  readonly of: number;
  readonly label: LabelValue;
  /** After the transaction's own time. */
  readonly delayMs: number;
  readonly source: string;
  /** Whether the transaction's amount was unusual when this was said: above 3 medians. */
  readonly amountToMedian: number | null;
};

const arrivingLabel = fc.record({
  of: fc.nat(),
  label: fc.constantFrom<LabelValue>('fraud', 'fraud', 'legitimate'),
  delayMs: fc.oneof(
    fc.constant(7 * DAY_MS),
    fc.integer({ min: 0, max: 60 * 24 }).map((hours) => hours * HOUR_MS),
  ),
  source: fc.constantFrom('bank', 'analyst'),
  amountToMedian: fc.constantFrom(2, 3, 4, null),
});

const arrival = fc.record({
  label: fc.option(arrivingLabel, { freq: 2 }),
  offsetMs,
  account: fc.integer({ min: 0, max: 2 }),
  merchant: fc.integer({ min: 0, max: 3 }),
  currency: fc.constantFrom<Currency>('USD', 'USD', 'JPY', 'KWD'),
  minor: fc.oneof(
    fc.integer({ min: 1, max: 2_000_000 }),
    fc.constantFrom(799_999, 800_000, 999_999, 1_000_000),
  ),
  corridor: fc.constantFrom('US-EG', 'US-MX', 'US-US'),
  country: fc.constantFrom('US', 'US', 'EG', null),
  deviceId: fc.constantFrom('phone', 'laptop', null),
  ip: fc.constantFrom('203.0.113.7', '203.0.113.8', '2001:db8::7', null),
  word: fc.constantFrom('transfer', 'app', 'gold', 'basic', null),
  number: fc.oneof(fc.double({ min: -5, max: 1e7, noNaN: true }), fc.constantFrom(0, 9, 99, 999)),
  random: fc.bigInt({ min: 0n, max: 2n ** 74n - 1n }),
  worker: fc.constantFrom<0 | 1>(0, 1),
  event: fc.constantFrom<Arrival['event']>('none', 'none', 'none', 'redeliver', 'evict', 'race'),
  which: fc.nat(),
});

export const arrivals = (length: {
  minLength: number;
  maxLength: number;
}): fc.Arbitrary<Arrival[]> =>
  fc.uniqueArray(arrival, { ...length, selector: (one) => one.random }).map((list) =>
    list.map(({ worker, event, which, label, ...fields }, index) => ({
      transaction: makeTransaction({ ...fields, arrivedMs: ARRIVED_MS + index }),
      ...{ worker, event, which, label },
    })),
  );

export type TransactionFields = {
  readonly offsetMs: number;
  readonly account: number;
  readonly merchant: number;
  readonly currency: Currency;
  readonly minor: number;
  readonly corridor: string;
  readonly country: string | null;
  readonly deviceId: string | null;
  readonly ip: string | null;
  /** Type, channel, and a declared text. */
  readonly word: string | null;
  /** A declared number. */
  readonly number: number;
  /** The 74 random bits of the id. */
  readonly random: bigint;
  readonly arrivedMs: number;
};

export function makeTransaction(fields: TransactionFields): Transaction {
  const createdAtMs = BASE_MS + fields.offsetMs;
  return {
    transactionId: makeId(createdAtMs, fields.random),
    createdAtMs,
    receivedAtMs: fields.arrivedMs,
    accountId: `acc_${fields.account}`,
    merchantId: `m_${fields.merchant}`,
    amount: makeAmount(fields.minor, CURRENCY_SCALES[fields.currency]),
    currency: fields.currency,
    corridor: fields.corridor,
    type: fields.word,
    ip: fields.ip,
    deviceId: fields.deviceId,
    country: fields.country,
    channel: fields.word,
    declared:
      fields.word &&
      JSON.stringify({ segment: fields.word, distance: fields.number, known: fields.number > 9 }),
  };
}

function makeAmount(minor: number, scale: number): string {
  if (scale === 0) return String(minor);
  const digits = String(minor).padStart(scale + 1, '0');
  return `${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

function makeId(createdAtMs: number, random: bigint): string {
  const time = createdAtMs.toString(16).padStart(12, '0');
  const top = (random >> 62n).toString(16).padStart(3, '0');
  const rest = ((random & (2n ** 62n - 1n)) | (2n << 62n)).toString(16);
  return `${time.slice(0, 8)}-${time.slice(8)}-7${top}-${rest.slice(0, 4)}-${rest.slice(4)}`;
}

/** Commits rows; `received_at` is kept to the millisecond. */
export async function commit(
  database: Database,
  rows: readonly (Transaction & { readonly metadata?: object })[],
): Promise<void> {
  await ensurePartitions(
    database,
    rows.map((row) => monthOf(row.createdAtMs)),
  );
  await database.query(
    {
      // A claim says how far back late rows lie; saying it of every row is as right.
      text: `with late as (
               insert into market.late_rows (bucket, from_at)
               select pg_current_xact_id()::text::bigint >> 13, to_timestamp(min("createdAtMs") / 1000)
                 from json_to_recordset($1) as r ("createdAtMs" float8))
             insert into market.transactions (client, transaction_id, created_at, received_at, account_id, merchant_id,
               corridor, amount, currency, device_id, ip, ip_party, country, type, channel, metadata)
             select 'default', "transactionId", to_timestamp("createdAtMs" / 1000), to_timestamp("receivedAtMs" / 1000),
                    "accountId", "merchantId", corridor, amount, currency, "deviceId", ip, "ipParty", country, type, channel,
                    coalesce(metadata, declared::jsonb)
               from json_to_recordset($1) as r ("transactionId" uuid, "createdAtMs" float8, "receivedAtMs" float8,
                    "accountId" text, "merchantId" text, corridor text, amount numeric, currency text,
                    "deviceId" text, ip text, "ipParty" text, country text, type text, channel text, metadata jsonb, declared text)`,
    },
    [JSON.stringify(rows.map((row) => ({ ...row, ipParty: partyOfAddress(row.ip) })))],
  );
}

/** Commits a label of a committed row; a repetition changes nothing. */
export async function commitLabel(
  database: Database,
  of: Transaction,
  { label, delayMs, source, amountToMedian }: Omit<ArrivingLabel, 'of'>,
  receivedAtMs: number,
): Promise<void> {
  await database.query(
    {
      text: `insert into market.labels (client, transaction_id, created_at, labelled_at, label, source, received_at, batch_id,
               account_id, merchant_id, device_id, ip_party, amount_to_median)
             values ('default', $1, $2, $3, $4, $5, $6, gen_random_uuid(), $7, $8, $9, $10, $11) on conflict do nothing`,
    },
    [
      of.transactionId,
      new Date(of.createdAtMs),
      new Date(of.createdAtMs + delayMs),
      label,
      source,
      new Date(receivedAtMs),
      of.accountId,
      of.merchantId,
      of.deviceId,
      partyOfAddress(of.ip),
      amountToMedian,
    ],
  );
}
