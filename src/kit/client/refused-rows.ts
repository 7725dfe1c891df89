/** Rows of a file that were refused: all are counted, the first are kept to be shown. */
import type { FieldError } from '../words/field-error.ts';

export type Refused = { readonly line: number; readonly detail: string };

export type RefusedRows = {
  readonly add: (row: Refused) => void;
  readonly count: () => number;
  /** In the order of the file. */
  readonly first: () => Refused[];
};

/** Refused rows that are kept and shown; the others are only counted. */
export const REFUSED_SHOWN_MAX = 20;

export function createRefusedRows(): RefusedRows {
  const kept: Refused[] = [];
  let count = 0;
  return {
    add(row) {
      if (count++ < REFUSED_SHOWN_MAX) kept.push(row);
    },
    count: () => count,
    first: () => kept.toSorted((one, other) => one.line - other.line),
  };
}

/**
 * The API's error of one field as text: `/amount must be greater than zero`.
 * @param pointer in place of the error's own
 */
export function describeFieldError({ pointer: own, detail }: FieldError, pointer = own): string {
  return `${pointer} ${detail}`.trim();
}
