/** Validates submitted transactions once, with a pointer to each invalid field. */
import { z } from 'zod';
import { asSentence, Problem } from '../../kit/http/answers/problem.ts';
import { checkFields } from '../../kit/http/body/body.ts';
import { BODY_DEPTH_MAX } from '../../kit/http/body/body-shape.ts';
import { lineFault } from '../../kit/http/body/json-fault.ts';
import type { RawLine } from '../../kit/http/body/line-reader.ts';
import { listReader } from '../../kit/http/body/list-reader.ts';
import { refuseLost } from '../../kit/http/body/lost-in-parsing.ts';
import { sureCheck } from '../../kit/http/body/sure-check.ts';
import { atOnce, type Sliced } from '../../kit/process/pauses.ts';
import { DESCRIBED } from '../../kit/words/describe-issue.ts';
import {
  describeErrors,
  type FieldError,
  fieldErrors,
  InvalidFields,
  jsonPointer,
} from '../../kit/words/field-errors.ts';
import { nestingOf } from '../domain/metadata.ts';
import {
  type KeyedTransactionInput,
  type TransactionInput,
  transactionInputSchema,
} from '../domain/transaction.ts';
import type { AcceptResult } from './accept-batch.ts';
import type { Line } from './accept-lines.ts';
import { findEachInvalid } from './accept-transactions.ts';
import type { Ingest } from './ingest.ts';
import type { InputError } from './prepare-transactions.ts';

export const BATCH_TRANSACTIONS_MAX = 1000;

/** The schema in the document; requests are read by `listReader`. */
export const batchInputSchema = z
  .strictObject({
    transactions: z.array(transactionInputSchema).min(1).max(BATCH_TRANSACTIONS_MAX),
  })
  .meta({ id: 'TransactionBatchInput' });

const readInputs = listReader(
  'transactions',
  transactionInputSchema,
  BATCH_TRANSACTIONS_MAX,
  '; POST /v1/transactions takes one',
);

/** Levels of a batch around the metadata of an item: the body, the array and the item. */
const BATCH_LEVELS = 3;
const REQUIRED = 'is required';

const isSurelyInput = sureCheck(transactionInputSchema);

export function readOneInput(value: unknown): TransactionInput {
  if (isSurelyInput(value)) return value as TransactionInput;
  if (isMany(value)) {
    const detail =
      'must be one transaction: POST /v1/transactions/batch takes many, as {"transactions": […]}';
    throw new InvalidFields([{ pointer: '', detail }]);
  }
  return checkFields(transactionInputSchema, value);
}

const isMany = (value: unknown) =>
  Array.isArray(value) || (typeof value === 'object' && value !== null && 'transactions' in value);

export function* readBatchInput(value: unknown): Sliced<readonly KeyedTransactionInput[]> {
  const inputs = yield* readInputs(value);
  if (inputs.every(isSurelyKeyed)) return inputs;
  const errors: FieldError[] = [];
  const keyed = inputs.flatMap((input, index) => {
    if (nestingOf(input.metadata) + BATCH_LEVELS > BODY_DEPTH_MAX) {
      const detail = `must not lie deeper than ${BODY_DEPTH_MAX} levels in the body`;
      errors.push({ pointer: jsonPointer(['transactions', index, 'metadata']), detail });
    }
    if (isKeyed(input)) return input;
    const pointer = jsonPointer(['transactions', index, 'idempotency_key']);
    errors.push({ pointer, detail: REQUIRED });
    return [];
  });
  if (errors.length > 0) throw new InvalidFields(errors);
  return keyed;
}

const { corridor, currency, created_at } = transactionInputSchema.shape;
/** Fields that the schema refused are not judged again. */
const contextFields = z
  .object({
    corridor: corridor.optional().catch(undefined),
    currency: currency.optional().catch(undefined),
    created_at: created_at.catch(undefined),
  })
  // A currency is judged by its time, which may be what is refused.
  .transform((fields) =>
    fields.created_at === undefined ? { ...fields, currency: undefined } : fields,
  )
  .catch({ corridor: undefined, currency: undefined, created_at: undefined });

/** The inputs of a transaction, a batch or a line, and what their reader knows besides. */
type Beside = {
  readonly ingest: Ingest;
  /** Inputs of the body, which are the body itself where it is one. */
  readonly inputs: readonly unknown[];
  /** Where the inputs stand in the body. */
  readonly at: readonly string[];
  /** Says that an input has no key; null where the header has it. */
  readonly keyMissing?: string | null;
};

/** Reads a body; where it is refused, missing keys and fields that are invalid by the clock or the corridors are named, too. */
export async function readNamingAll<T>(read: () => T | Promise<T>, beside: Beside): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof InvalidFields)) throw error;
    throw new InvalidFields(namingAll(error.errors, beside));
  }
}

function namingAll(
  errors: readonly FieldError[],
  { ingest, inputs, at, keyMissing = REQUIRED }: Beside,
): readonly FieldError[] {
  const named = new Set(errors.map(({ pointer }) => pointer));
  if (named.has('')) return errors;
  const keys = inputs.flatMap((input, index) =>
    keyMissing === null || !isWithoutKey(input)
      ? []
      : [{ index, field: 'idempotency_key', detail: keyMissing }],
  );
  const context = findEachInvalid(
    ingest,
    inputs.map((input) => contextFields.parse(input)),
  );
  const others = toFieldErrors([...keys, ...context], at);
  return [...errors, ...others.filter(({ pointer }) => !named.has(pointer))];
}

const isWithoutKey = (input: unknown) =>
  typeof input === 'object' &&
  input !== null &&
  !Array.isArray(input) &&
  !('idempotency_key' in input);

const rawBatch = z.object({ transactions: z.array(z.unknown()).max(BATCH_TRANSACTIONS_MAX) });

/** The unvalidated items of a batch; none where there are too many. */
export function batchInputs(value: unknown): readonly unknown[] {
  return rawBatch.safeParse(value).data?.transactions ?? [];
}

/** @param at where the items stand in the body; a single transaction is the body itself */
function toFieldErrors(errors: readonly InputError[], at: readonly string[]): FieldError[] {
  return errors.map(({ index, field, detail }) => ({
    pointer: jsonPointer(at.length === 0 ? [field] : [...at, index, field]),
    detail,
  }));
}

/** Why nothing of a request was stored. */
export function refusal(
  result: Exclude<AcceptResult, { kind: 'accepted' }>,
  at: readonly string[],
): Error {
  const errors = toFieldErrors(result.errors, at);
  switch (result.kind) {
    case 'invalid':
      return new InvalidFields(errors);
    case 'conflict':
      return new Problem('key-conflict', `Nothing was stored: ${describeErrors(errors)}`, {
        errors,
      });
    case 'scope-stopped':
    case 'frozen':
    case 'controls-unread':
    case 'limited':
    case 'unavailable': {
      const { kind, detail, headers, transactionId } = result;
      return new Problem(kind, asSentence(detail), { errors, headers, transactionId });
    }
    case 'month-detached':
    case 'too-many-new-months':
      return new Problem(result.kind, asSentence(result.detail), { errors });
  }
}

const UTF8 = new TextDecoder('utf-8', { fatal: true });

/** Reads a line of a stream; pointers are relative to the line. */
export function readLineInput(
  ingest: Ingest,
  { index, bytes }: RawLine,
  lineBytesMax: number,
): Line {
  if (bytes === null) return refused(index, `must have at most ${lineBytesMax} bytes, not more`);
  let value: unknown;
  try {
    value = JSON.parse(UTF8.decode(bytes));
    atOnce(refuseLost(bytes, value));
  } catch (error) {
    if (error instanceof InvalidFields) return { index, errors: error.errors };
    return refused(index, bytes[0] === ARRAY ? NO_ARRAY : lineFault(bytes));
  }
  if (isSurelyInput(value) && isKeyed(value as TransactionInput)) {
    return { index, input: value as KeyedTransactionInput };
  }
  if (isMany(value)) return refused(index, Array.isArray(value) ? NO_ARRAY : NO_BATCH);
  const parsed = transactionInputSchema.safeParse(value, DESCRIBED);
  if (parsed.success && isKeyed(parsed.data)) return { index, input: parsed.data };
  const errors = parsed.success ? [] : fieldErrors(transactionInputSchema, parsed.error);
  const all = namingAll(errors, { ingest, inputs: [value], at: [] });
  return { index, errors: all.slice(0, LINE_ERRORS_MAX) };
}

const LINE_ERRORS_MAX = 20;
/** The byte that begins an array, which a line may be a part of. */
const ARRAY = 0x5b;
const NO_ARRAY =
  'must be one transaction a line, not an array; {"transactions": […]} takes the Content-Type application/json';
const NO_BATCH =
  'must be one transaction a line, not a batch; {"transactions": […]} takes the Content-Type application/json';

function refused(index: number, detail: string): Line {
  return { index, errors: [{ pointer: '', detail }] };
}

/** Has a key, and no metadata that could be too deep. */
function isSurelyKeyed(input: TransactionInput): input is KeyedTransactionInput {
  return input.metadata === undefined && isKeyed(input);
}

function isKeyed(input: TransactionInput): input is KeyedTransactionInput {
  return input.idempotency_key !== undefined;
}
