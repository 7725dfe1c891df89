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

const FIELD_COUNT = 15;

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
      `entry version ${version ?? 'missing'} is unknown`,
    );
  }
  const fields = parseArray(packed);
  const [id, createdAt, receivedAt, accountId, merchantId, amount, currency, corridor] = fields;
  const createdAtMs = Number(createdAt);
  const receivedAtMs = Number(receivedAt);
  const attempt = Number(fields[13]);
  if (
    !id ||
    !accountId ||
    !merchantId ||
    !amount ||
    !currency ||
    !corridor ||
    !Number.isSafeInteger(createdAtMs) ||
    !Number.isSafeInteger(receivedAtMs) ||
    !(attempt >= 1)
  ) {
    throw malformed('a required field is missing or not of its type');
  }
  const [origin, replyTo] = readOrigin(fields[14] ?? null);
  return {
    transaction: {
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
    },
    attempt,
    origin,
    replyTo,
  };
}

function readOrigin(packed: string | null): [EntryOrigin, string | null] {
  if (packed === null) return ['ingest', null];
  const [name, replyTo] = packed.split(' ');
  const origin = ENTRY_ORIGINS.find((known) => known === name);
  if (origin === undefined) throw malformed(`origin ${name ?? ''} is unknown`);
  return [origin, replyTo === undefined || replyTo === '' ? null : replyTo];
}

function parseArray(packed: string | null): (string | null)[] {
  let value: unknown;
  try {
    value = JSON.parse(packed ?? '');
  } catch {
    throw malformed('the packed value is not JSON');
  }
  if (!Array.isArray(value) || value.length !== FIELD_COUNT) {
    throw malformed(`the packed value is not an array of ${FIELD_COUNT} fields`);
  }
  if (!value.every((field) => field === null || typeof field === 'string')) {
    throw malformed('the packed value has a field that is neither text nor null');
  }
  return value;
}

function malformed(detail: string): Failure {
  return new Failure('permanent', 'ENTRY_MALFORMED', detail);
}
