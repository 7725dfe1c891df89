/**
 * A stream entry carries 1 to COUNT_MAX transactions of one corridor and shard, so that a worker needs no
 * database read:
 *
 * | field | holds |
 * |---|---|
 * | `v` | entry version |
 * | `n` | how many transactions: what a stream holds is counted by it |
 * | `h` | head (entry-head.ts) |
 * | `d` | the transactions: a JSON array of rows |
 *
 * A release that changes the meaning of what stands in an entry gives it another version. Workers that do not read a version
 * leave its entries to those that do. `v`, `n` and `row` of the head keep their meaning in every version: the reconciler reads
 * them of entries that it cannot decode, too, and appends from Postgres what no worker reads.
 *
 * Ids and amounts are never JSON numbers. Metadata is left out but for its declared fields: 4 KiB of it a transaction would turn
 * a bounded backlog into an unbounded one.
 */
import { isUtf8 } from 'node:buffer';
import { Failure } from '../../../kit/words/failure.ts';
import type { DeliveredTransaction } from '../../domain/transaction.ts';
import { createdAtMsOf, type Transaction } from '../../domain/transaction.ts';
import { decodeHead, type EntryHead, encodeHead, malformed } from './entry-head.ts';

export const ENTRY_VERSION: string = '4';

/** Finds a field in the flat list of an entry's fields and values; undefined where it is missing. */
export function fieldOf(
  fields: readonly unknown[],
  name: 'v' | 'n' | 'h' | 'd',
): Buffer | undefined {
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const field = fields[i];
    if (Buffer.isBuffer(field) && field.length === 1 && field[0] === name.charCodeAt(0)) {
      const value = fields[i + 1];
      return Buffer.isBuffer(value) ? value : undefined;
    }
  }
  return undefined;
}

export type EntryPayload = EntryHead & {
  readonly transaction: Transaction;
  /** `traceparent` of the span that sent it; null or absent where its request is not sampled. */
  readonly sender?: string | null;
};

/** An entry as it is appended. */
export type PackedEntry = {
  readonly transactions: number;
  readonly head: string;
  readonly packed: Buffer;
};

/** Most transactions of one entry. */
export const COUNT_MAX = 128;
/** Most bytes of the transactions of one entry. */
export const PACKED_BYTES_MAX = 64 * 1024;
const ID_CHARS_MAX = 256;
/** 2000-01-01 and 10000-01-01: outside them there is no partition. */
const TIME_MS_MIN = Date.UTC(2000, 0);
const TIME_MS_MAX = Date.UTC(10_000, 0);
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const AMOUNT = /^\d{1,15}(?:\.\d{1,4})?$/;

/** A row of an entry, in this order; a longer row has elements of a later release. */
type EntryRow = readonly [
  transactionId: string,
  createdAtMs: number,
  receivedAtMs: number,
  accountId: string,
  merchantId: string,
  amount: string,
  currency: string,
  corridor: string,
  type: string | null,
  ip: string | null,
  deviceId: string | null,
  country: string | null,
  channel: string | null,
  declared: string | null,
  sender: string | null,
];

/** Packs transactions into as few entries as possible; those of one head stay in their order. */
export function packEntries(
  payloads: readonly EntryPayload[],
): (PackedEntry & { readonly payloads: readonly EntryPayload[] })[] {
  const groups = Map.groupBy(payloads, (head) => encodeHead(head));
  return [...groups].flatMap(([head, group]) => {
    const chunks = Math.ceil(group.length / COUNT_MAX);
    const size = Math.ceil(group.length / chunks);
    const starts = Array.from({ length: chunks }, (_, index) => index * size);
    return starts.flatMap((start) => packWithin(head, group.slice(start, start + size)));
  });
}

/**
 * Halves an entry that is too long, which takes the longest texts in all fields; a single transaction is never
 * too long.
 */
function packWithin(
  head: string,
  payloads: readonly EntryPayload[],
): ReturnType<typeof packEntries> {
  if (payloads.length === 0) return [];
  const whole = pack(head, payloads);
  if (whole.packed.length <= PACKED_BYTES_MAX || payloads.length === 1) {
    return [{ ...whole, payloads }];
  }
  const middle = payloads.length >> 1;
  return [
    ...packWithin(head, payloads.slice(0, middle)),
    ...packWithin(head, payloads.slice(middle)),
  ];
}

/**
 * Packs payloads of one head into one entry; they came as one, so they fit.
 * @param deliveries of the entries that they were in before, which count on
 */
export function packAgain(payloads: readonly EntryPayload[], deliveries = 0): PackedEntry {
  const [first] = payloads;
  if (first === undefined) throw new Error('an entry holds at least one transaction');
  return pack(encodeHead(first, deliveries), payloads);
}

function pack(head: string, payloads: readonly EntryPayload[]): PackedEntry {
  const packed = Buffer.from(JSON.stringify(payloads.map(toEntryRow)));
  return { transactions: payloads.length, head, packed };
}

/** The sender stands in the row, as a head would part entries that transactions of several senders share. */
function toEntryRow({ transaction, sender = null }: EntryPayload): EntryRow {
  return [
    transaction.transactionId,
    transaction.createdAtMs,
    transaction.receivedAtMs,
    transaction.accountId,
    transaction.merchantId,
    transaction.amount,
    transaction.currency,
    transaction.corridor,
    transaction.type,
    transaction.ip,
    transaction.deviceId,
    transaction.country,
    transaction.channel,
    transaction.declared,
    sender,
  ];
}

/** The fields of a delivered entry; null where one is missing. */
export type EntryFields = {
  readonly version: string | null;
  readonly transactions: number;
  readonly head: string | null;
  readonly packed: Buffer | null;
};

/** An entry as it is delivered. */
type DecodedEntry = {
  readonly head: EntryHead;
  readonly transactions: readonly DeliveredTransaction[];
};

/** Version and decoder of entries that a worker reads; a test gives a worker those of another release. */
export const ENTRY_READER = { version: ENTRY_VERSION, decode: decodeEntry };
export type EntryReader = Readonly<typeof ENTRY_READER>;

/** The version of some release; an entry with another text is malformed. */
const VERSION = /^[1-9]\d{0,3}$/;

/** Whether an entry is for workers of another release to read. */
export function isUnread({ version }: Pick<EntryFields, 'version'>, own: string): boolean {
  return version !== null && version !== own && VERSION.test(version);
}

/** Reads and checks an entry of ENTRY_VERSION; throws a permanent Failure that says what is wrong with it. */
export function decodeEntry(fields: EntryFields): DecodedEntry {
  const { version, packed: value } = fields;
  if (version !== ENTRY_VERSION) {
    throw malformed(`version ${version?.slice(0, 32) ?? 'missing'} is unknown`);
  }
  const head = decodeHead(fields.head);
  if (value === null) throw malformed('the packed value is missing');
  const rows = readRows(value);
  if (rows.length !== fields.transactions) {
    throw malformed(`n is not the count of the packed value, ${rows.length}`);
  }
  return { head, transactions: rows.map(toDelivered) };
}

function readRows(value: Buffer): readonly unknown[] {
  if (value.length > PACKED_BYTES_MAX) {
    throw malformed(`the packed value has more than ${PACKED_BYTES_MAX} bytes`);
  }
  if (!isUtf8(value)) throw malformed('the packed value is not UTF-8');
  const rows = parseRows(value);
  if (!Array.isArray(rows) || rows.length < 1 || rows.length > COUNT_MAX) {
    throw malformed(`the packed value is not an array of 1 to ${COUNT_MAX} rows`);
  }
  return rows;
}

function parseRows(value: Buffer): unknown {
  try {
    return JSON.parse(value.toString());
  } catch {
    throw malformed('the packed value is not JSON');
  }
}

function toDelivered(row: unknown): DeliveredTransaction {
  if (!Array.isArray(row)) throw malformed('a row is not an array');
  return {
    transactionId: idOf(row),
    createdAtMs: timeOf(row[1], 'created_at'),
    receivedAtMs: timeOf(row[2], 'received_at'),
    accountId: textOf(row[3], 'account_id', isId, 'is missing or too long'),
    merchantId: textOf(row[4], 'merchant_id', isId, 'is missing or too long'),
    amount: textOf(row[5], 'amount', isAmount, 'is not a decimal'),
    currency: textOf(row[6], 'currency', isCurrency, 'is not of 3 characters'),
    corridor: textOf(row[7], 'corridor', isCorridor, 'is not of 5 characters'),
    type: optionalText(row[8], 'type'),
    ip: optionalText(row[9], 'ip'),
    deviceId: optionalText(row[10], 'device_id'),
    country: optionalText(row[11], 'country'),
    channel: optionalText(row[12], 'channel'),
    declared: optionalText(row[13], 'declared metadata'),
    sender: optionalText(row[14], 'sender'),
  };
}

function idOf([id]: readonly unknown[]): string {
  if (typeof id !== 'string' || !UUID.test(id)) throw malformed('transaction_id is not a UUID');
  return id;
}

function timeOf(ms: unknown, label: string): number {
  if (typeof ms !== 'number' || !Number.isInteger(ms) || ms < TIME_MS_MIN || ms >= TIME_MS_MAX) {
    throw malformed(`${label} is not a time from 2000 on in whole milliseconds`);
  }
  return ms;
}

const isId = ({ length }: string) => length > 0 && length <= ID_CHARS_MAX;
const isAmount = (text: string) => AMOUNT.test(text);
const isCurrency = ({ length }: string) => length === 3;
const isCorridor = ({ length }: string) => length === 5;

function textOf(
  text: unknown,
  label: string,
  isGood: (text: string) => boolean,
  problem: string,
): string {
  if (typeof text !== 'string' || !isGood(text)) throw malformed(`${label} ${problem}`);
  return text;
}

function optionalText(text: unknown, label: string): string | null {
  if (text !== null && typeof text !== 'string') throw malformed(`${label} is not a text`);
  return text;
}

/** The ids of an entry; an entry that cannot be decoded offers no more. Throws as decodeEntry. */
export function readIds(value: Buffer): string[] {
  return readRows(value).map((row) => idOf(Array.isArray(row) ? row : []));
}

/** The ids of an entry, as far as they can be read. */
export function identify(value: Buffer): string[] {
  try {
    return readIds(value).filter((id) => createdAtMsOf(id) !== undefined);
  } catch (error) {
    if (error instanceof Failure) return [];
    throw error;
  }
}
