/** Errors of a schema, field by field. */
import type { z } from 'zod';
import { issueText, shortText } from './describe-issue.ts';
import { FIELD_CHARS_MAX, type FieldError, jsonPointer } from './field-error.ts';
import { fieldNamesAt, isOptionalAt } from './field-names.ts';
import { knownNames } from './nearest-name.ts';

/** More names than anybody reads at once. */
const UNKNOWN_FIELDS_MAX = 10;

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
