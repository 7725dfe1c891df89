/** Ranges that two fields bound. A range that can hold nothing is refused. */

import type { z } from 'zod';
import type { FieldError } from './field-errors.ts';

/** How values of a range are compared, and how a message shows them. */
export type RangeKind<Value> = {
  readonly compare: (left: Value, right: Value) => number;
  readonly show: (value: Value) => string;
  /** Where the last value is not in the range: the range of the day that has a value, in words. */
  readonly dayOf?: (value: Value) => string;
};

export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

const compareNumbers = (left: number, right: number) => left - right;
export const NUMBERS: RangeKind<number> = { compare: compareNumbers, show: String };
const dayText = (ms: number) => new Date(ms).toISOString().slice(0, 10);
/** Epoch milliseconds; the last one is not in the range. */
export const TIMES: RangeKind<number> = {
  compare: compareNumbers,
  show: (ms) => `'${new Date(ms).toISOString()}'`,
  dayOf: (ms) => `from ${dayText(ms)} to ${dayText(ms + DAY_MS)}`,
};
/** Starts of UTC days, epoch milliseconds. */
export const DAYS: RangeKind<number> = {
  compare: compareNumbers,
  show: (ms) => `'${dayText(ms)}'`,
};

/** Names both fields and values; undefined where a bound is absent or the range can hold something. */
export function findEmpty<From extends string, To extends string, Value>(
  asked: Readonly<{ [Name in From | To]?: Value | undefined }>,
  from: From,
  to: To,
  { compare, show, dayOf }: RangeKind<Value>,
): FieldError | undefined {
  const [first, last] = [asked[from], asked[to]];
  if (first === undefined || last === undefined) return undefined;
  const order = compare(first, last);
  if (order === 0 && dayOf !== undefined) {
    const detail = `must be later than /${from}, not ${show(last)} as well: the range ends before /${to}, and one day is ${dayOf(first)}`;
    return { pointer: `/${to}`, detail };
  }
  if (order <= 0) return undefined;
  return {
    pointer: `/${from}`,
    detail: `must not lie after /${to}, ${show(last)}, as ${show(first)} does`,
  };
}

/** Adds what `findEmpty` found to the issues of a schema. */
export function refuseEmpty(
  context: z.RefinementCtx,
  ...found: readonly (FieldError | undefined)[]
): void {
  for (const error of found) {
    if (error === undefined) continue;
    const path = [error.pointer.slice(1)];
    context.addIssue({ code: 'custom', path, message: error.detail, input: undefined });
  }
}

/** Start of the UTC hour of a time; windows and tallies of merchants have whole hours and days. Exact, as epoch milliseconds are integers. */
export function hourOf(ms: number): number {
  return Math.floor(ms / HOUR_MS) * HOUR_MS;
}

export function dayOf(ms: number): number {
  return Math.floor(ms / DAY_MS) * DAY_MS;
}
