/** Ranges that two fields bound. A range that ends before it begins can hold nothing, and is refused. */
import type { z } from 'zod';
import type { FieldError } from './field-error.ts';

/** How values of a range are compared, and how a message shows them. */
export type RangeKind<Value> = {
  readonly compare: (one: Value, other: Value) => number;
  readonly show: (value: Value) => string;
};

const compareNumbers = (one: number, other: number) => one - other;
export const NUMBERS: RangeKind<number> = { compare: compareNumbers, show: String };
/** Epoch milliseconds. */
export const TIMES: RangeKind<number> = {
  compare: compareNumbers,
  show: (ms) => `'${new Date(ms).toISOString()}'`,
};
/** Starts of UTC days, epoch milliseconds. */
export const DAYS: RangeKind<number> = {
  compare: compareNumbers,
  show: (ms) => `'${new Date(ms).toISOString().slice(0, 10)}'`,
};

/** Names both fields and values; undefined where a bound is absent or the range is in order. */
export function findInverted<From extends string, To extends string, Value>(
  asked: Readonly<{ [Name in From | To]?: Value | undefined }>,
  from: From,
  to: To,
  { compare, show }: RangeKind<Value>,
): FieldError | undefined {
  const [first, last] = [asked[from], asked[to]];
  if (first === undefined || last === undefined || compare(first, last) <= 0) return undefined;
  return {
    pointer: `/${from}`,
    detail: `must not lie after /${to}, ${show(last)}, as ${show(first)} does`,
  };
}

/** Adds what `findInverted` found to the issues of a schema. */
export function refuseInverted(
  context: z.RefinementCtx,
  ...found: readonly (FieldError | undefined)[]
): void {
  for (const error of found) {
    if (error === undefined) continue;
    const path = [error.pointer.slice(1)];
    context.addIssue({ code: 'custom', path, message: error.detail, input: undefined });
  }
}
