/**
 * A stream entry: fields `v` (1) and `d`, one packed value that carries the transaction, so that a
 * worker needs no database read. `d` is a JSON array of strings and nulls in the order below; ids and
 * amounts are never JSON numbers. Metadata is left out: no feature sees it, and 4 KiB of it an entry
 * would turn a bounded backlog into an unbounded one.
 */
import { Failure } from '../domain/failure.ts';
import type { Transaction } from '../domain/transaction.ts';

export const ENTRY_VERSION = '1';

/** How an entry came into the stream: anything but `ingest` may have been folded before. */
export const ENTRY_ORIGINS = ['ingest', 'reconciled', 'retry', 'replay', 'released'] as const;
export type EntryOrigin = (typeof ENTRY_ORIGINS)[number];

export type EntryPayload = {
  readonly transaction: Transaction;
  /** Which attempt this delivery is: 1 the first time. */
  readonly attempt: number;
  readonly origin: EntryOrigin;
  /** Instance whose request waits for the score; null when none does. */
  readonly replyTo: string | null;
};

/** Attempts a transaction has before it is given up. */
export const ATTEMPTS_MAX = 4;

const FIELD_COUNT = 15;
/** No valid transaction packs into more; what does is not worth parsing. */
const PACKED_CHARS_MAX = 16 * 1024;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const AMOUNT = /^\d{1,15}(\.\d{1,4})?$/;
/** 2000-01-01 and 10000-01-01: outside them there is no partition. */
const TIME_MS_MIN = Date.UTC(2000, 0);
const TIME_MS_MAX = Date.UTC(10_000, 0);

export function encodeEntry({ transaction: t, attempt, origin, replyTo }: EntryPayload): string {
  return JSON.stringify([
    t.transactionId,
    String(t.createdAtMs),
    String(t.receivedAtMs),
    t.accountId,
    t.merchantId,
    t.amount,
    t.currency,
    t.corridor,
    t.type,
    t.ip,
    t.deviceId,
    t.country,
    t.channel,
    String(attempt),
    replyTo === null && origin === 'ingest' ? null : `${origin} ${replyTo ?? ''}`,
  ]);
}

/** Reads a packed value; throws a permanent Failure that says what is wrong with it. */
export function decodeEntry(version: string | null, packed: string | null): EntryPayload {
  if (version !== ENTRY_VERSION) {
    throw new Failure(
      'permanent',
      'ENTRY_VERSION_UNKNOWN',
      `entry version ${version?.slice(0, 32) ?? 'missing'} is unknown`,
    );
  }
  const fields = parseArray(packed);
  const transaction = readTransaction(fields);
  const attempt = Number(fields[13]);
  if (!Number.isInteger(attempt) || attempt < 1 || attempt > ATTEMPTS_MAX) {
    throw malformed(`attempt is not a whole number from 1 to ${ATTEMPTS_MAX}`);
  }
  const [origin, replyTo] = readOrigin(fields[14] ?? null);
  return { transaction, attempt, origin, replyTo };
}

function readTransaction(fields: readonly (string | null)[]): Transaction {
  const [id, createdAt, receivedAt, accountId, merchantId, amount, currency, corridor] = fields;
  const createdAtMs = Number(createdAt ?? Number.NaN);
  const receivedAtMs = Number(receivedAt ?? Number.NaN);
  if (!id || !UUID.test(id)) throw malformed('transaction_id is not a lower-case UUID');
  if (!isTime(createdAtMs) || !isTime(receivedAtMs)) {
    throw malformed('created_at or received_at is not a time from 2000 on in whole milliseconds');
  }
  if (!accountId || !merchantId || accountId.length > 256 || merchantId.length > 256) {
    throw malformed('account_id or merchant_id is missing or too long');
  }
  if (!amount || !AMOUNT.test(amount)) throw malformed('amount is not a decimal');
  if (currency?.length !== 3 || corridor?.length !== 5) {
    throw malformed('currency or corridor is not of its length');
  }
  return {
    transactionId: id,
    createdAtMs,
    receivedAtMs,
    accountId,
    merchantId,
    amount,
    currency,
    corridor,
    type: fields[8] ?? null,
    ip: fields[9] ?? null,
    deviceId: fields[10] ?? null,
    country: fields[11] ?? null,
    channel: fields[12] ?? null,
  };
}

function isTime(epochMs: number): boolean {
  return Number.isInteger(epochMs) && epochMs >= TIME_MS_MIN && epochMs < TIME_MS_MAX;
}

function readOrigin(packed: string | null): [EntryOrigin, string | null] {
  if (packed === null) return ['ingest', null];
  const [name, replyTo] = packed.split(' ');
  const origin = ENTRY_ORIGINS.find((known) => known === name);
  if (origin === undefined) throw malformed(`origin ${name?.slice(0, 32) ?? ''} is unknown`);
  return [origin, replyTo === undefined || replyTo === '' ? null : replyTo];
}

function parseArray(packed: string | null): (string | null)[] {
  if (packed === null) throw malformed('the packed value is missing');
  if (packed.length > PACKED_CHARS_MAX) {
    throw malformed(`the packed value has more than ${PACKED_CHARS_MAX} characters`);
  }
  let value: unknown;
  try {
    value = JSON.parse(packed);
  } catch {
    throw malformed('the packed value is not JSON');
  }
  if (!Array.isArray(value) || value.length !== FIELD_COUNT) {
    throw malformed(`the packed value is not an array of ${FIELD_COUNT} fields`);
  }
  for (const field of value) {
    if (field !== null && typeof field !== 'string') {
      throw malformed('the packed value has a field that is neither text nor null');
    }
  }
  return value;
}

function malformed(detail: string): Failure {
  return new Failure('permanent', 'ENTRY_MALFORMED', detail);
}
