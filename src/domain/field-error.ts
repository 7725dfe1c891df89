/** Invalid input, field by field: the `errors` of a problem+json answer. */
import { Failure } from './failure.ts';

/** `pointer` is a JSON pointer (RFC 6901) into the body, or the name of a header or query parameter. */
export type FieldError = { readonly pointer: string; readonly detail: string };

/** The input is invalid at these fields; the answer is 422. */
export class InvalidFields extends Failure {
  readonly errors: readonly FieldError[];

  constructor(errors: readonly FieldError[], detail = 'The request has invalid fields.') {
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
