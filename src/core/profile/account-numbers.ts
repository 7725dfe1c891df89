/**
 * Numbers that a market declares, in the records of its accounts: a record has one f32 each behind its other fields, NaN where the
 * payment lacks the number. Another declaration makes another version, so that no profile mixes columns, or lacks older numbers.
 */
import { FEATURE_COUNT } from '../domain/feature-schema.ts';
import type { FieldSlot } from '../domain/metadata.ts';
import { numberToAccount } from '../score/scorecard/day-evidence.ts';
import { hashText, type PackedList } from './packed-list.ts';

export type Numbers = {
  /** Names the declarations in force; 0 without a number. */
  readonly version: number;
  readonly fields: readonly string[];
  /** Behind the fixed features of a vector: where the ratio of each number stands. */
  readonly slots: readonly number[];
  readonly recordBytes: number;
  /** A payment received before this may have been sent to workers without a number that its metadata has. */
  readonly wholeFromMs: number;
};

/** Bytes of a record without numbers, whose last bytes are the key's end and the currency. */
export const ACCOUNT_RECORD_BYTES = 40;
const NUMBER_BYTES = 4;
/** A wide record ends with the key's end and 16 bits of the version. */
const END_BYTES = 4;
const VERSION_BEFORE_END = 2;
/** An API process may not know a declaration for as long. Longer: more payments are read again after each declaration. */
const UNKNOWN_MS = 60_000;
/** Numbers of an account that are compared with. */
const NEWEST = 40;
const newest = new Float32Array(NEWEST);

export const NO_NUMBERS: Numbers = {
  version: 0,
  fields: [],
  slots: [],
  recordBytes: ACCOUNT_RECORD_BYTES,
  wholeFromMs: Number.NEGATIVE_INFINITY,
};

export function numbersOf(all: readonly FieldSlot[]): Numbers {
  const declared = all.flatMap(({ field, kind, declaredAtMs }, slot) =>
    kind === 'to_account' && typeof declaredAtMs === 'number' ? { field, slot, declaredAtMs } : [],
  );
  if (declared.length === 0) return NO_NUMBERS;
  const bytes = ACCOUNT_RECORD_BYTES + declared.length * NUMBER_BYTES + END_BYTES;
  return {
    version: hashText(
      declared.map(({ field, slot, declaredAtMs }) => `${field} ${slot} ${declaredAtMs}`).join(),
    ),
    fields: declared.map(({ field }) => field),
    slots: declared.map(({ slot }) => slot),
    recordBytes: Math.ceil(bytes / 8) * 8,
    wholeFromMs: Math.max(...declared.map(({ declaredAtMs }) => declaredAtMs)) + UNKNOWN_MS,
  };
}

/** The numbers among a payment's declared values, in the order of the fields. */
export const numbersIn = (
  { fields }: Numbers,
  given: Readonly<Record<string, unknown>>,
): number[] =>
  fields.map((field) => {
    const value = given[field];
    return typeof value === 'number' ? value : Number.NaN;
  });

export function writeRecordNumbers(
  view: DataView,
  at: number,
  { version, fields, recordBytes }: Numbers,
  given: readonly number[] = [],
): void {
  for (let nth = 0; nth < fields.length; nth++) {
    const to = at + ACCOUNT_RECORD_BYTES + nth * NUMBER_BYTES;
    view.setFloat32(to, given[nth] ?? Number.NaN, true);
  }
  view.setUint16(at + recordBytes - VERSION_BEFORE_END, version & 0xffff, true);
}

/** Whether a record's numbers are of these declarations. */
export const isOfVersion = (view: DataView, at: number, { version, recordBytes }: Numbers) =>
  version === 0 ||
  view.getUint16(at + recordBytes - VERSION_BEFORE_END, true) === (version & 0xffff);

/** Compares the numbers of a payment with those of its siblings, which are the records [start, end). */
export function writeRatios(
  { records, recordBytes }: PackedList,
  { slots }: Numbers,
  [start, end]: readonly [number, number],
  given: readonly number[] = [],
  values: Float64Array,
  rowAt: number,
): void {
  for (const [nth, slot] of slots.entries()) {
    const value = given[nth] ?? Number.NaN;
    if (Number.isNaN(value)) continue;
    const numberAt = ACCOUNT_RECORD_BYTES + nth * NUMBER_BYTES;
    let count = 0;
    for (let index = end - 1; index >= start && count < NEWEST; index--) {
      const number = records.getFloat32(index * recordBytes + numberAt, true);
      if (!Number.isNaN(number)) newest[count++] = number;
    }
    values[rowAt + FEATURE_COUNT + slot] = numberToAccount(value, newest.subarray(0, count));
  }
}
