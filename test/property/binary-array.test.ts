/**
 * Goal: the hand-written loops encode what the obvious code would. Method: properties against Node's own
 * encoders; Postgres reads the same bytes in every integration test.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { padded } from '../../src/core/domain/feature-rows.ts';
import { FEATURE_COUNT } from '../../src/core/domain/feature-schema.ts';
import { packVectors, toVector } from '../../src/core/store/scores/score-values.ts';
import {
  byteaArray,
  float8Array,
  textArray,
  timestampArray,
  uuidArray,
} from '../../src/kit/database/binary-array.ts';
import { runsOf } from '../support/thorough.ts';

const HEADER_BYTES = 20;
/** Quiet and signalling NaNs with a payload, -0, the least and the greatest subnormal number, -Infinity. */
const AWKWARD = [
  0x7ff8000000000000n,
  0x7ff0000000000001n,
  0xffffffffffffffffn,
  0x8000000000000000n,
  1n,
  0x000fffffffffffffn,
  0xfff0000000000000n,
];
const EPOCH_MS = Date.UTC(2000, 0);

/** The only value of an array of one. */
function onlyValue(array: Buffer): Buffer {
  const length = array.readInt32BE(HEADER_BYTES);
  expect(array).toHaveLength(HEADER_BYTES + 4 + length);
  return array.subarray(HEADER_BYTES + 4);
}

test('a number is its eight bytes, the highest first', () => {
  fc.assert(
    fc.property(fc.double(), (value) => {
      expect(onlyValue(float8Array([value])).readDoubleBE()).toBe(value);
    }),
  );
  expect(float8Array([null]).readInt32BE(HEADER_BYTES)).toBe(-1);
});

test('vectors come back with all their bits: every NaN, -0, subnormal numbers', () => {
  const bits = fc.array(
    fc.oneof(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.constantFrom(...AWKWARD)),
    {
      maxLength: 100,
    },
  );
  fc.assert(
    fc.property(bits, fc.nat({ max: 3 }), (values, before) => {
      // A row of a matrix: it neither begins nor ends with its buffer.
      const matrix = new BigUint64Array([...Array(before).fill(7n), ...values, 7n]);
      const row = new Float64Array(matrix.buffer, before * 8, values.length);
      const [other = row, packed = row] = packVectors([Float64Array.of(0.1), row]);
      expect(toVector(other as Uint8Array)).toEqual(padded(Float64Array.of(0.1)));
      const written = onlyValue(byteaArray([packed]));
      const read = [...new BigUint64Array(toVector(written).buffer)];
      expect(read.slice(0, values.length)).toEqual(values);
      expect(read).toHaveLength(Math.max(values.length, FEATURE_COUNT));
    }),
  );
  expect(() => packVectors([new Float64Array(256)])).toThrow('at most 255');
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

test('a column has its texts and nulls one after the other, however long it becomes', () => {
  const long = fc.tuple(fc.string({ unit: 'binary', minLength: 1 }), fc.nat({ max: 40_000 }));
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    long.map(([unit, times]) => unit.repeat(times)),
  );
  fc.assert(
    fc.property(fc.array(fc.option(text), { maxLength: 20 }), (values) => {
      const array = textArray(values);
      expect(array.readInt32BE(0)).toBe(values.length === 0 ? 0 : 1);
      expect(array.readInt32BE(4)).toBe(values.includes(null) ? 1 : 0);
      let at = HEADER_BYTES;
      const read = values.map(() => {
        const length = array.readInt32BE(at);
        const from = at + 4;
        at = from + Math.max(0, length);
        return length < 0 ? null : array.toString('utf8', from, at);
      });
      expect(read).toEqual(values);
      expect(array.length).toBe(values.length === 0 ? 12 : at);
    }),
    { numRuns: runsOf(60) },
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
