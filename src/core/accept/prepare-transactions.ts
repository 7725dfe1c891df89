/**
 * The pure part of ingest: validated inputs become rows with ids, times and fingerprints, sorted by idempotency
 * key; items that are invalid by the clock, by the list of corridors or by another item of the batch are
 * refused here.
 */

import { hash, randomUUID } from 'node:crypto';
import type { Sliced } from '../../kit/process/pauses.ts';
import type { Trace } from '../../kit/traces/trace.ts';
import { given } from '../../kit/words/describe-issue.ts';
import { corridorProblem, type Layout } from '../domain/corridor.ts';
import { currencyProblem } from '../domain/currency.ts';
import { canonicalJson, declaredOf, type MetadataFields } from '../domain/metadata.ts';
import { isToken, type PersonalId } from '../domain/personal.ts';
import {
  type KeyedTransactionInput,
  TRANSACTION_LIMITS,
  type Transaction,
  type TransactionInput,
} from '../domain/transaction.ts';
import type { NewTransaction } from '../store/transactions/transactions.ts';
import { sayDifferences } from './key-conflict.ts';

/** Problem of one item of a batch; `field` is its name in the body. */
export type InputError = {
  readonly index: number;
  readonly field: string;
  readonly detail: string;
};

export type IngestContext = {
  /** The API's clock: refuses times too far ahead, and is the created_at of items that name none. */
  readonly nowMs: number;
  readonly corridors: ReadonlySet<string>;
  /** The market of each corridor that another market has. */
  readonly elsewhere: ReadonlyMap<string, string>;
  readonly refusalOf: Layout['refusalOf'];
  readonly fields: MetadataFields;
  /** Personal ids, in which a submission may name no token. */
  readonly personal: readonly PersonalId[];
};

export type Prepared = {
  readonly inputs: readonly KeyedTransactionInput[];
  /** A row for each key, sorted by key in code-unit order. */
  readonly rows: readonly NewTransaction[];
  /** The row of each input: the first with its key, whose body is stored. */
  readonly rowOf: readonly NewTransaction[];
  /** Fingerprint of the body of each input. */
  readonly fingerprintOf: readonly string[];
  /** Inputs that follow another input with the same key. */
  readonly repeats: ReadonlySet<number>;
};

/** Fields that no schema can judge alone; undefined where all are valid. */
export type ContextFields = {
  readonly corridor?: string | undefined;
  readonly currency?: string | undefined;
  readonly created_at?: string | undefined;
} & { readonly [Id in PersonalId]?: string | null | undefined };

/** In front of the random bits of a UUIDv4 stands its version. */
const RANDOM_AT = 15;

/** Hexadecimal text of 16 bytes. */
const FINGERPRINT_DIGITS = 32;

/** Problems with time, corridor and currency, found without the database. */
export function findInvalid(
  inputs: readonly ContextFields[],
  { nowMs, corridors, elsewhere, refusalOf, personal }: IngestContext,
): InputError[] {
  const errors: InputError[] = [];
  const refuse = (index: number, field: keyof ContextFields, detail: string) => {
    errors.push({ index, field, detail });
  };
  const latest = nowMs + TRANSACTION_LIMITS.createdAtAheadMsMax;
  for (const [index, input] of inputs.entries()) {
    const { corridor, currency, created_at: createdAt } = input;
    const createdAtMs = createdAt === undefined ? nowMs : Date.parse(createdAt);
    const problem =
      corridor === undefined
        ? undefined
        : (corridorProblem(corridors, corridor) ?? refusalOf(corridor));
    if (corridor !== undefined && problem !== undefined) {
      const market = elsewhere.get(corridor);
      const where = market === undefined ? '' : `; it is of ${market}: send Risk-Market: ${market}`;
      refuse(index, 'corridor', `${problem}${where}`);
    }
    const ofCurrency = currencyProblem(currency, createdAtMs);
    if (ofCurrency !== undefined) refuse(index, 'currency', ofCurrency);
    if (createdAtMs < TRANSACTION_LIMITS.createdAtMsMin) {
      refuse(index, 'created_at', `must be 2000-01-01 or later, not ${given(createdAt)}`);
    } else if (createdAtMs > latest) {
      refuse(index, 'created_at', `must be at most a day ahead, not ${given(createdAt)}`);
    }
  }
  if (personal.length > 0) errors.push(...findTokens(inputs, personal));
  return errors;
}

function findTokens(
  inputs: readonly ContextFields[],
  personal: readonly PersonalId[],
): InputError[] {
  return inputs.flatMap((input, index) =>
    personal
      .filter((field) => isToken(field, input[field] ?? ''))
      .map((field) => ({ index, field, detail: NO_TOKEN })),
  );
}

const NO_TOKEN = 'must be the clear value, as a token stands for a value that was sent before';
const untraced = () => undefined;

/** Inputs between two pauses. More: large metadata holds the thread. Fewer: pauses take longer than what is between them. */
const SLICE_INPUTS = 16;

/** @param traceOf the trace of the request that has an input */
export function* prepare(
  inputs: readonly KeyedTransactionInput[],
  context: IngestContext,
  traceOf: (index: number) => Trace | undefined = untraced,
): Sliced<Prepared> {
  const firstByKey = new Map<string, NewTransaction>();
  const rowOf: NewTransaction[] = [];
  const fingerprints: string[] = [];
  const repeats = new Set<number>();
  for (const [index, input] of inputs.entries()) {
    if (index % SLICE_INPUTS === SLICE_INPUTS - 1) yield;
    const fingerprint = fingerprintOf(input);
    fingerprints.push(fingerprint);
    const first = firstByKey.get(input.idempotency_key);
    const row = first ?? toRow(input, fingerprint, context, traceOf(index));
    rowOf.push(row);
    if (first === undefined) firstByKey.set(input.idempotency_key, row);
    else repeats.add(index);
  }
  const rows = [...firstByKey.values()];
  rows.sort(byKey);
  return { inputs, rows, rowOf, fingerprintOf: fingerprints, repeats };
}

/** Code-unit order: every claim of several keys uses it, so that claims do not deadlock. */
export function byKey(a: NewTransaction, b: NewTransaction): number {
  return a.idempotencyKey < b.idempotencyKey ? -1 : 1;
}

/** Items that use one key with two bodies; both are named. */
export function findRivals({ inputs, rowOf, fingerprintOf, repeats }: Prepared): InputError[] {
  const errors = new Map<number, InputError>();
  const sameKeyAs = (index: number, other: number): InputError => {
    const [own, rival] = [inputs[index], inputs[other]] as [
      KeyedTransactionInput,
      KeyedTransactionInput,
    ];
    const differ = sayDifferences(own, rival);
    const detail = `must be used once: item ${other} also has ${given(own.idempotency_key)}, and its ${differ}`;
    return { index, field: 'idempotency_key', detail };
  };
  for (const index of repeats) {
    const row = rowOf[index];
    if (row === undefined || fingerprintOf[index] === row.fingerprint) continue;
    const first = rowOf.indexOf(row);
    errors.set(first, errors.get(first) ?? sameKeyAs(first, index));
    errors.set(index, sameKeyAs(index, first));
  }
  return [...errors.values()].sort((a, b) => a.index - b.index);
}

function toRow(
  input: KeyedTransactionInput,
  fingerprint: string,
  context: IngestContext,
  trace: Trace | undefined,
): NewTransaction {
  return {
    ...toTransaction(input, context),
    idempotencyKey: input.idempotency_key,
    fingerprint,
    metadata: input.metadata === undefined ? null : JSON.stringify(input.metadata),
    trace,
  };
}

/** The row, with an id of its own, at its own time or now. */
export function toTransaction(
  input: TransactionInput,
  { nowMs, fields }: Pick<IngestContext, 'nowMs' | 'fields'>,
): Omit<Transaction, 'receivedAtMs'> {
  const createdAtMs = input.created_at === undefined ? nowMs : Date.parse(input.created_at);
  return {
    transactionId: newTransactionId(createdAtMs),
    createdAtMs,
    accountId: input.account_id,
    merchantId: input.merchant_id,
    amount: input.amount,
    currency: input.currency,
    corridor: input.corridor,
    type: input.type ?? null,
    ip: input.ip ?? null,
    deviceId: input.device_id ?? null,
    country: input.country ?? null,
    channel: input.channel ?? null,
    declared: fields.size === 0 ? null : declaredOf(input.metadata, fields),
  };
}

/** Makes transaction ids: UUIDv7 (RFC 9562) whose time part is created_at to the millisecond, the rest 74 random bits. */
export function newTransactionId(createdAtMs: number): string {
  const time = createdAtMs.toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUUID().slice(RANDOM_AT)}`;
}

/**
 * Fingerprint that two equal bodies share: the first 16 bytes of SHA-256 of the validated fields, before defaults and without the
 * key. Neither the order of members matters nor the spelling of a time or an address. The text of an amount does: "1.5" is not
 * "1.50". A collision takes 2^64 tries.
 */
export function fingerprintOf(input: TransactionInput): string {
  const text = JSON.stringify([
    input.account_id,
    input.merchant_id,
    input.amount,
    input.currency,
    input.corridor,
    input.created_at && Date.parse(input.created_at),
    input.type,
    input.ip,
    input.device_id,
    input.country,
    input.channel,
    input.metadata === undefined ? undefined : canonicalJson(input.metadata),
  ]);
  return hash('sha256', text, 'hex').slice(0, FINGERPRINT_DIGITS);
}
