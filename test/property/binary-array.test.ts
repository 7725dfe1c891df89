/**
 * Goal: what the hand-written loops put on the wire is what the obvious code would. Method: properties
 * against Node's own encoders; Postgres reads the same bytes in every integration test.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  float8Array,
  readFloat8Array,
  textArray,
  timestampArray,
  uuidArray,
} from '../../src/store/binary-array.ts';

const HEADER_BYTES = 20;
const EPOCH_MS = Date.UTC(2000, 0);

/** The only value of an array of one. */
function onlyValue(array: Buffer): Buffer {
  const length = array.readInt32BE(HEADER_BYTES);
  expect(array).toHaveLength(HEADER_BYTES + 4 + length);
  return array.subarray(HEADER_BYTES + 4);
}

describe('binary arrays', () => {
  test('numbers come back as they went, null as NaN', () => {
    const numbers = fc.array(fc.option(fc.double(), { freq: 5 }), { maxLength: 70 });
    fc.assert(
      fc.property(numbers, (values) => {
        const into = new Float64Array(values.length);
        readFloat8Array(float8Array(values), into);
        expect([...into]).toEqual(values.map((value) => value ?? Number.NaN));
      }),
    );
    expect(() => readFloat8Array(float8Array([1, 2]), new Float64Array(3))).toThrow('2 values');
  });

  test('text is UTF-8, short and long, plain and not', () => {
    const texts = fc.oneof(
      fc.string({ unit: 'grapheme-ascii', maxLength: 120 }),
      fc.string({ unit: 'grapheme', maxLength: 120 }),
    );
    fc.assert(
      fc.property(texts, (text) => {
        expect(onlyValue(textArray([text])).toString('utf8')).toBe(text);
      }),
    );
  });

  test('a UUID is its 16 bytes, in either case of its digits', () => {
    fc.assert(
      fc.property(fc.uuid(), fc.boolean(), (uuid, upper) => {
        const written = onlyValue(uuidArray([upper ? uuid.toUpperCase() : uuid]));
        expect(written.toString('hex')).toBe(uuid.replaceAll('-', ''));
      }),
    );
  });

  test('a time is microseconds since 2000, from 4713 BC to as far as a Date goes', () => {
    const times = fc.oneof(
      fc.integer({ min: Date.UTC(-4712, 0), max: Date.UTC(275_760, 0) }),
      fc.integer({ min: EPOCH_MS - 2 ** 23, max: EPOCH_MS + 2 ** 23 }),
    );
    fc.assert(
      fc.property(times, (ms) => {
        const written = onlyValue(timestampArray([ms])).readBigInt64BE();
        expect(written).toBe(BigInt(ms - EPOCH_MS) * 1000n);
      }),
      { numRuns: 2000 },
    );
  });
});
