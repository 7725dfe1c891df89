/** The key of a single transaction: in the body, in the header `Idempotency-Key`, or the same in both. */
import { z } from 'zod';
import { readKeyHeader } from '../../kit/http/once/answer-once.ts';
import { given } from '../../kit/words/describe-issue.ts';
import { InvalidFields } from '../../kit/words/field-errors.ts';
import type { KeyedTransactionInput, TransactionInput } from '../domain/transaction.ts';

/** Detail where a single transaction has no key. */
export const KEY_REQUIRED = 'is required, here or in the header Idempotency-Key';

export const readIdempotencyKey = (header: string | undefined) =>
  readKeyHeader(header, '/idempotency_key', '; the field takes other characters, too');

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
