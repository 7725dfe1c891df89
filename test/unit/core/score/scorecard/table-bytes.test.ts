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
const mapOf = <Value>(value: fc.Arbitrary<Value>) =>
  fc.array(fc.tuple(word, value), { maxLength: 5 }).map((entries) => new Map(entries));
const doubles = fc.array(number, { maxLength: 8 }).map((values) => Float64Array.from(values));
const setOf = fc.array(word, { maxLength: 5 }).map((texts) => new Set(texts));
const known = dayTable();
/** Members of each kind that tables have. */
const table = fc
  .record({
    ...{ ruleSet: word, hours: doubles, currency: fc.option(word), leftOut: fc.array(word) },
    scorecard: fc.record({ constant: number, points: doubles, cuts: fc.float32Array() }),
    lifts: mapOf(fc.record({ byValue: mapOf(number), others: number })),
    tails: mapOf(fc.record({ above: fc.uint32Array({ maxLength: 8 }), numbers: fc.nat() })),
    crowded: fc.record({ device: setOf, address: setOf }),
  })
  .map(({ scorecard, ...drawn }): DayTable => {
    return { ...known, ...drawn, scorecard: { ...known.scorecard, ...scorecard } };
  });

test('a table is read as it was written, and its bytes do not depend on the order of members and maps', () => {
  fc.assert(
    fc.property(table, (written) => {
      const bytes = encodeTable(written);
      const read = decodeTable(bytes);
      expect(read).toEqual(written);
      const members = Object.entries({ ...read, lifts: new Map([...read.lifts].reverse()) });
      const turned = Object.fromEntries(members.reverse()) as unknown as DayTable;
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
      expect(() => decodeTable(Uint8Array.of(...bytes, 0))).toThrow();
    }),
  );
  expect(() => decodeTable(Uint8Array.of(2))).toThrow('version 2 is not 1');
});
