/** Invalid input, field by field: the `errors` of a problem+json answer. */
import { Failure } from './failure.ts';

/**
 * `detail` is a predicate of the field, without a full stop: "must be …, not …".
 * `pointer` is a JSON pointer (RFC 6901) into the body, or the name of a header or query parameter.
 */
export type FieldError = { readonly pointer: string; readonly detail: string };

/** Longest part of a field's name that a pointer repeats, where the name is the sender's. */
export const FIELD_CHARS_MAX = 128;

/** The first of the errors as a sentence, and how many there are beside it. */
export function describeErrors([first, ...others]: readonly FieldError[]): string {
  if (first === undefined) return 'The request has invalid fields.';
  const { length } = others;
  const more =
    length === 0 ? '' : `; ${length} more ${length === 1 ? 'field is' : 'fields are'} invalid`;
  return `${first.pointer === '' ? 'The body' : first.pointer} ${first.detail}${more}.`;
}

/** The input is invalid at these fields; the answer is 422. */
export class InvalidFields extends Failure {
  readonly errors: readonly FieldError[];

  constructor(errors: readonly FieldError[], detail = describeErrors(errors)) {
    super('invalid', 'INVALID_FIELDS', detail);
    this.name = 'InvalidFields';
    this.errors = errors;
  }
}

/** A path as a JSON pointer: `['transactions', 3, 'amount']` is `/transactions/3/amount`. */
export function jsonPointer(path: readonly PropertyKey[]): string {
  return path
    .map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`)
    .join('');
}
