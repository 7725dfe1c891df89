/** Errors of a schema, field by field. */
import type { z } from 'zod';
import { issueText, shortText } from './describe-issue.ts';
import { Failure } from './failure.ts';
import { knownNames } from './nearest-name.ts';

/** More names than anybody reads at once. */
const UNKNOWN_FIELDS_MAX = 10;

/**
 * `detail` is a predicate of the field, without a full stop: "must be …, not …".
 * `pointer` is a JSON pointer (RFC 6901) into the body, or the name of a header or query parameter.
 */
export type FieldError = { readonly pointer: string; readonly detail: string };

/** Longest part of a field's name that a pointer repeats, where the name is the sender's. */
export const FIELD_CHARS_MAX = 128;

/** Field errors from issues of zod. The pointer of an unknown field names the field, and the detail the nearest known one. */
export function fieldErrors(
  schema: z.ZodType,
  error: z.ZodError,
  at: readonly PropertyKey[] = [],
  noun: 'field' | 'parameter' = 'field',
): FieldError[] {
  const mistyped = new Set(
    error.issues.flatMap(({ code, path }) => (code === 'invalid_type' ? jsonPointer(path) : [])),
  );
  return error.issues.flatMap((issue) => {
    // Zod measures the length of a text that stands in place of a list.
    const isMeasured = issue.code === 'too_big' || issue.code === 'too_small';
    if (isMeasured && mistyped.has(jsonPointer(issue.path))) return [];
    const path = [...at, ...issue.path];
    if (issue.code !== 'unrecognized_keys') {
      const isNeedless = issue.input === null && isOptionalAt(schema, issue.path);
      const advice = isNeedless ? '; leave out what has no value' : '';
      return [{ pointer: jsonPointer(path), detail: `${issueText(issue)}${advice}` }];
    }
    const names = fieldNamesAt(schema, issue.path);
    return issue.keys.slice(0, UNKNOWN_FIELDS_MAX).map((key) => {
      return {
        pointer: jsonPointer([...path, shortText(key, FIELD_CHARS_MAX)]),
        detail: `is not a ${noun}${knownNames(key, names, noun)}`,
      };
    });
  });
}

/** The fields of a schema's objects, or none if the schema does not list fields. */
function fieldNamesAt(schema: z.core.$ZodType, path: readonly PropertyKey[]): string[] {
  return schemasAt(schema, path).flatMap(({ def }) =>
    def.type === 'object' ? Object.keys(def.shape) : [],
  );
}

/** Whether a field may be left out. */
function isOptionalAt(schema: z.core.$ZodType, path: readonly PropertyKey[]): boolean {
  return schemasAt(schema, path).some(({ def }) => ['optional', 'default'].includes(def.type));
}

type Inner = z.core.$ZodTypes['_zod'];

/** The schemas that a value at a path is checked by, the outer ones first. */
function schemasAt(schema: z.core.$ZodType, path: readonly PropertyKey[]): Inner[] {
  const own = (schema as z.core.$ZodTypes)._zod;
  return [...(path.length === 0 ? [own] : []), ...innerOf(own, path)];
}

function innerOf({ def }: Inner, path: readonly PropertyKey[]): Inner[] {
  switch (def.type) {
    case 'optional':
    case 'nullable':
    case 'default':
    case 'prefault':
    case 'readonly':
      return schemasAt(def.innerType, path);
    case 'pipe':
      return schemasAt(def.in, path);
    case 'union':
      return def.options.flatMap((option) => schemasAt(option, path));
    case 'array':
      return path.length === 0 ? [] : schemasAt(def.element, path.slice(1));
    case 'object': {
      const [first, ...rest] = path;
      const field = first === undefined ? undefined : def.shape[String(first)];
      return field === undefined ? [] : schemasAt(field, rest);
    }
    default:
      return [];
  }
}

/** Describes the first error in a sentence, and says how many other errors there are. */
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
