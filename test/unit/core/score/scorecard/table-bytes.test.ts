/**
 * Goal: a table of the day is read as it was written, to the bit, and equal tables have equal bytes. Method: random tables, bytes with
 * a flipped bit, and bytes that are cut or too long.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { currentRuleSet } from '../../../../../src/core/score/rules/rule-sets.ts';
import type { DayTable } from '../../../../../src/core/score/scorecard/day-table.ts';
import { measureNames } from '../../../../../src/core/score/scorecard/measures.ts';
import {
  decodeTable,
  encodeTable,
  hashTable,
} from '../../../../../src/core/score/scorecard/table-bytes.ts';
import { dayTable } from '../../../../support/day-tables.ts';

const word = fc.string({ unit: 'grapheme', maxLength: 12 });
const number = fc.double();
const doubles = fc.array(number, { maxLength: 8 }).map((values) => Float64Array.from(values));
const mapOf = <Value>(value: fc.Arbitrary<Value>) =>
  fc.array(fc.tuple(word, value), { maxLength: 5 }).map((entries) => new Map(entries));
const lifts = fc.record({ byValue: mapOf(number), others: number });
const setOf = fc.array(word, { maxLength: 5 }).map((texts) => new Set(texts));
const counted = fc.record({ payments: number, frauds: number });
const ranking = fc.record({ averagePrecision: number, caught: fc.nat() });
const kind = fc.constantFrom('lift', 'tail', 'to_account' as const);

const figures = {
  ...{ payments: fc.nat(), frauds: fc.nat(), alerts: fc.nat() },
  ...{ decided: ranking, scorecard: ranking, byRisk: fc.nat() },
};
const table: fc.Arbitrary<DayTable> = fc.record({
  day: fc.integer({ min: 0, max: 100_000 }),
  ruleSet: word,
  group: word,
  slots: fc.array(fc.record({ field: word, kind }), { maxLength: 4 }),
  measures: fc.array(word, { maxLength: 4 }),
  scorecard: fc.record({
    constant: number,
    slope: number,
    labelSlope: number,
    points: doubles,
    cuts: fc.float32Array({ maxLength: 8 }),
  }),
  learnt: fc.record({
    ...{ knownFrauds: fc.nat(), payments: doubles, frauds: doubles, labelled: doubles },
    all: counted,
    rules: mapOf(counted),
  }),
  leftOut: fc.array(word, { maxLength: 3 }),
  leftOutLabels: fc.array(word, { maxLength: 3 }),
  tops: fc.record({ scorecard: doubles, rules: mapOf(doubles) }),
  golden: fc.record({ inputs: doubles, margins: doubles }),
  weeks: fc.array(fc.record({ day: fc.nat(), ...figures, policies: mapOf(fc.record(figures)) }), {
    maxLength: 3,
  }),
  hours: doubles,
  lifts: mapOf(lifts),
  cells: lifts,
  tails: mapOf(fc.record({ above: fc.uint32Array({ maxLength: 8 }), numbers: fc.nat() })),
  currency: fc.option(word),
  amounts: fc.record({ percentiles: mapOf(number), rates: mapOf(number) }),
  crowded: fc.record({ devices: setOf, addresses: setOf }),
});

test('a table is read as it was written, and its bytes do not depend on the order of maps', () => {
  fc.assert(
    fc.property(table, (written) => {
      const bytes = encodeTable(written);
      const read = decodeTable(bytes);
      expect(read).toEqual(written);
      const turned = { ...read, lifts: new Map([...read.lifts].reverse()) };
      expect(encodeTable(turned)).toEqual(bytes);
    }),
  );
});

test('the first byte rises with the rules and the measures of a new table', () => {
  const known = Buffer.from([currentRuleSet.id, ...measureNames([])].join(' '));
  expect([encodeTable(dayTable())[0], hashTable(known)]).toEqual([
    1,
    'ca5b1cb2e8e3367e61a19e31489a9969d6a25606b14977ef81268a1f505efed3',
  ]);
});

test('each bit of a double is kept', () => {
  const bits = BigUint64Array.of(0x7ff8_0000_0000_0001n, 0xfff4_0000_0000_0002n, 1n << 63n);
  const hours = new Float64Array(bits.buffer);
  const read = decodeTable(encodeTable(dayTable({ hours })));
  expect(new BigUint64Array(read.hours.buffer)).toEqual(bits);
});

test('a flipped bit gives another hash, and bytes that no table has are refused', () => {
  fc.assert(
    fc.property(table, fc.nat(), fc.nat({ max: 7 }), (written, nth, bit) => {
      const bytes = encodeTable(written);
      const at = nth % bytes.length;
      const flipped = bytes.with(at, (bytes[at] ?? 0) ^ (1 << bit));
      expect(hashTable(flipped)).not.toBe(hashTable(bytes));
      expect(() => decodeTable(bytes.subarray(0, at))).toThrow();
      expect(() => decodeTable(Uint8Array.of(...bytes, 0))).toThrow('behind the value');
    }),
  );
  expect(() => decodeTable(Uint8Array.of(2))).toThrow('version 2 is not 1');
});
