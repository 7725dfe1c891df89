/**
 * A stream entry carries 1 to COUNT_MAX transactions of one corridor and shard, so that a worker needs no
 * database read:
 *
 * | field | holds |
 * |---|---|
 * | `v` | entry version |
 * | `n` | how many transactions: what a stream holds is counted by it |
 * | `h` | head (entry-head.ts) |
 * | `d` | the transactions, as columns (columns.ts) |
 *
 * A release that changes the meaning of what stands in an entry gives it another version. Workers that do not read a version
 * leave its entries to those that do. `v`, `n` and `row` of the head keep their meaning in every version: the reconciler reads
 * them of entries that it cannot decode, too, and appends from Postgres what no worker reads.
 *
 * Ids and amounts are never JSON numbers. Metadata is left out but for its declared fields: 4 KiB of it a transaction would turn
 * a bounded backlog into an unbounded one.
 */
import { Failure } from '../../../kit/words/failure.ts';
import {
  DeliveredTransaction,
  formatUuid,
  type TextColumn,
  type TransactionRows,
  UUID_BYTES,
} from '../../domain/delivered.ts';
import type { Transaction } from '../../domain/transaction.ts';
import { createdAtMsOf } from '../../domain/transaction-id.ts';
import {
  COUNT_MAX,
  type Column,
  type Columns,
  float64Column,
  float64sAt,
  malformed,
  openColumns,
  PACKED_BYTES_MAX,
  packColumns,
  textColumn,
  textsOf,
  uuidColumn,
  uuidsAt,
} from './columns.ts';
import { decodeHead, type EntryHead, encodeHead } from './entry-head.ts';

export const ENTRY_VERSION: string = '3';

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

const [POINT, ZERO, NINE] = [46, 48, 57];
/** Bytes of a time in a column. */
const TIME_BYTES = 8;
const ID_CHARS_MAX = 256;
/** 2000-01-01 and 10000-01-01: outside them there is no partition. */
const TIME_MS_MIN = Date.UTC(2000, 0);
const TIME_MS_MAX = Date.UTC(10_000, 0);

/** Names of the columns: a name that was ever used keeps its meaning. */
export const [ID, CREATED_AT, RECEIVED_AT, ACCOUNT, MERCHANT, AMOUNT_TEXT] = [
  1, 2, 3, 4, 5, 6,
] as const;
const [CURRENCY, CORRIDOR, TYPE, IP, DEVICE, COUNTRY, CHANNEL] = [7, 8, 9, 10, 11, 12, 13] as const;
const [DECLARED, SENDER] = [14, 15] as const;

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
  const all = payloads.map(({ transaction }) => transaction);
  const text = (name: number, value: (one: Transaction) => string | null) =>
    textColumn(name, all.map(value)) ?? [];
  const times = (name: number, value: (one: Transaction) => number) =>
    float64Column(name, all.map(value));
  const ids = all.map((one) => one.transactionId);
  const columns: Column[] = [
    uuidColumn(ID, ids),
    times(CREATED_AT, (one) => one.createdAtMs),
    times(RECEIVED_AT, (one) => one.receivedAtMs),
    text(ACCOUNT, (one) => one.accountId),
    text(MERCHANT, (one) => one.merchantId),
    text(AMOUNT_TEXT, (one) => one.amount),
    text(CURRENCY, (one) => one.currency),
    text(CORRIDOR, (one) => one.corridor),
    text(TYPE, (one) => one.type),
    text(IP, (one) => one.ip),
    text(DEVICE, (one) => one.deviceId),
    text(COUNTRY, (one) => one.country),
    text(CHANNEL, (one) => one.channel),
    text(DECLARED, (one) => one.declared),
    // In the head it would part entries that transactions share.
    textColumn(
      SENDER,
      payloads.map(({ sender = null }) => sender),
    ) ?? [],
  ].flat();
  return { transactions: all.length, head, packed: packColumns(all.length, columns) };
}

/** The fields of a delivered entry; null where one is missing. */
export type EntryFields = {
  readonly version: string | null;
  readonly transactions: number;
  readonly head: string | null;
  readonly packed: Buffer | null;
};

/** An entry as it is delivered. */
export type DecodedEntry = {
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
  const columns = openColumns(value);
  if (columns.count !== fields.transactions) {
    throw malformed(`n is not the count of the packed value, ${columns.count}`);
  }
  const rows = readRows(columns);
  const transactions: DeliveredTransaction[] = [];
  for (let row = 0; row < rows.count; row++) transactions.push(new DeliveredTransaction(rows, row));
  return { head, transactions };
}

function readRows(columns: Columns): TransactionRows {
  const { count, bytes, view } = columns;
  return {
    count,
    bytes,
    view,
    idsAt: uuidsAt(columns, ID, 'transaction_id'),
    createdAt: timesAt(columns, CREATED_AT, 'created_at'),
    receivedAt: timesAt(columns, RECEIVED_AT, 'received_at'),
    account: checked(columns, ACCOUNT, 'account_id', isId, 'is missing or too long'),
    merchant: checked(columns, MERCHANT, 'merchant_id', isId, 'is missing or too long'),
    amount: checked(columns, AMOUNT_TEXT, 'amount', isAmount, 'is not a decimal'),
    currency: checked(columns, CURRENCY, 'currency', hasChars(3), 'is not of 3 characters'),
    corridor: checked(columns, CORRIDOR, 'corridor', hasChars(5), 'is not of 5 characters'),
    type: textsOf(columns, TYPE, 'type'),
    ip: textsOf(columns, IP, 'ip'),
    device: textsOf(columns, DEVICE, 'device_id'),
    country: textsOf(columns, COUNTRY, 'country'),
    channel: textsOf(columns, CHANNEL, 'channel'),
    declared: textsOf(columns, DECLARED, 'declared metadata'),
    sender: textsOf(columns, SENDER, 'sender'),
  };
}

function timesAt(columns: Columns, name: number, label: string): number {
  const start = float64sAt(columns, name, label);
  for (let row = 0; row < columns.count; row++) {
    const ms = columns.view.getFloat64(start + row * TIME_BYTES, true);
    if (!Number.isInteger(ms) || ms < TIME_MS_MIN || ms >= TIME_MS_MAX) {
      throw malformed(`${label} is not a time from 2000 on in whole milliseconds`);
    }
  }
  return start;
}

type IsGood = (column: TextColumn, row: number) => boolean;

/** A column without nulls. */
function checked(columns: Columns, name: number, label: string, isGood: IsGood, problem: string) {
  const column = textsOf(columns, name, label);
  for (let row = 0; row < columns.count; row++) {
    if (column.isNull(row) || !isGood(column, row)) throw malformed(`${label} ${problem}`);
  }
  return column;
}

/** Characters of a text that is ASCII are its bytes. */
function charsOf(column: TextColumn, row: number): number {
  return column.isAscii ? column.to(row) - column.from(row) : (column.text(row) ?? '').length;
}

function isId(column: TextColumn, row: number): boolean {
  const chars = charsOf(column, row);
  return chars > 0 && chars <= ID_CHARS_MAX;
}

function hasChars(chars: number): IsGood {
  return (column, row) => charsOf(column, row) === chars;
}

/** 1 to 15 digits, then none, or a point and 1 to 4 digits. */
function isAmount(column: TextColumn, row: number): boolean {
  const [from, to] = [column.from(row), column.to(row)];
  let point = to;
  for (let at = from; at < to; at++) {
    const byte = column.bytes[at] as number;
    if (byte === POINT && point === to) point = at;
    else if (byte < ZERO || byte > NINE) return false;
  }
  const decimals = to - point - 1;
  return point > from && point - from <= 15 && (point === to || (decimals >= 1 && decimals <= 4));
}

/** The ids of an entry; an entry that cannot be decoded offers no more. Throws as decodeEntry. */
export function readIds(value: Buffer): string[] {
  const columns = openColumns(value);
  const start = uuidsAt(columns, ID, 'transaction_id');
  return Array.from({ length: columns.count }, (_, row) =>
    formatUuid(columns.bytes, start + row * UUID_BYTES),
  );
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
