/** The key of a single transaction: in the body, in the header `Idempotency-Key`, or the same in both. */
import { z } from 'zod';
import { DESCRIBED, given, issueText } from '../../kit/words/describe-issue.ts';
import { InvalidFields } from '../../kit/words/field-error.ts';
import {
  idempotencyKeySchema,
  type KeyedTransactionInput,
  type TransactionInput,
} from '../domain/transaction.ts';

/** Headers have no encoding: Node reads bytes as Latin-1, curl sends UTF-8, and the key of a retry has to be the same. */
const ASCII = /^[\x20-\x7e]*$/;
const QUOTED = /^"((?:[^"\\]|\\["\\])*)"$/;

/** Detail where a single transaction has no key. */
export const KEY_REQUIRED = 'is required, here or in the header Idempotency-Key';

/** The header's value: plain, or a structured-field string (RFC 8941) in double quotes. */
export function readIdempotencyKey(header: string | undefined): string | undefined {
  if (header === undefined) return undefined;
  const text = header.trim();
  if (!ASCII.test(text)) {
    throw keyError(
      'in the header Idempotency-Key must be ASCII; the field takes other characters, too',
    );
  }
  const key = QUOTED.exec(text)?.[1]?.replaceAll(/\\(["\\])/g, '$1') ?? text;
  const parsed = idempotencyKeySchema.safeParse(key, DESCRIBED);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw keyError(`in the header Idempotency-Key ${issue ? issueText(issue) : 'is invalid'}`);
}

export function withKey(
  input: TransactionInput,
  headerKey: string | undefined,
): KeyedTransactionInput {
  const key = input.idempotency_key ?? headerKey;
  if (key === undefined) {
    throw keyError(KEY_REQUIRED);
  }
  if (headerKey !== undefined && headerKey !== key) {
    throw keyError(
      `must be the same as in the header Idempotency-Key (${given(headerKey)}), not ${given(key)}`,
    );
  }
  return { ...input, idempotency_key: key };
}

function keyError(detail: string): InvalidFields {
  return new InvalidFields([{ pointer: '/idempotency_key', detail }]);
}

/** The header, for the document. */
export const idempotencyKeyParameter = z
  .string()
  .optional()
  .meta({
    minLength: 1,
    examples: ['order-1001'],
    description:
      'In place of the field: 1 to 255 characters of ASCII, plain or as a quoted string (RFC 8941). Beside the field it must be the same.',
  });
