/** Goal: a process trusts a table only where it computes the margins of the night. Method: tables of a seed, with a point or a cut changed. */
import { expect, test } from 'vitest';
import { BUCKETS, CUTS } from '../../../../../src/core/score/scorecard/cuts.ts';
import type { StoredTable } from '../../../../../src/core/score/scorecard/day-table.ts';
import { goldenOf, whyDistrust } from '../../../../../src/core/score/scorecard/golden.ts';
import { decodeTable, encodeTable } from '../../../../../src/core/score/scorecard/table-bytes.ts';
import { createRandom } from '../../../../../src/kit/random.ts';
import { randomTable } from '../../../../support/random-tables.ts';

const made = randomTable(createRandom('golden vectors'));
const stored: StoredTable = { ...made, table: { ...made.table, golden: goldenOf(made) } };
/** A table that was read again, so that its numbers may be changed. */
const read = () => ({ ...stored, table: decodeTable(encodeTable(stored.table)) });

test('a table that was read gives the margins of the night, and a table without vectors none', () => {
  expect(stored.table.golden.margins).toHaveLength(8);
  expect(new Set(stored.table.golden.margins).size).toBe(8);
  expect(whyDistrust(read())).toBeUndefined();
  expect(whyDistrust(made)).toBeUndefined();
});

test('changed points of a measure are seen, and changed cuts', () => {
  const measures = stored.table.measures.length;
  const isSeen = (change: (table: StoredTable['table']) => void) => {
    const changed = read();
    change(changed.table);
    return whyDistrust(changed) !== undefined;
  };
  for (let measure = 0; measure < measures; measure++) {
    const change = (points: Float64Array) => {
      for (let at = measure * BUCKETS; at < (measure + 1) * BUCKETS; at++) {
        points[at] = (points[at] as number) + 1e-9;
      }
    };
    expect(isSeen(({ scorecard: { points } }) => change(points))).toBe(true);
  }
  expect(isSeen(({ scorecard: { cuts } }) => void cuts.fill(0, 0, CUTS))).toBe(true);
  const changed = read();
  changed.table.golden.margins[3] = 1.5;
  expect(whyDistrust(changed)).toMatch(/^run 1 gives -?\d+\.\d+, not 1\.5$/);
});

test('the third run is compared, too', () => {
  const { scorecard } = stored.table;
  const points = scorecard.points.map((value) => value + 1e-9);
  let reads = 0;
  const table = {
    ...stored.table,
    // A process that computes otherwise once it is warm.
    get scorecard() {
      reads++;
      return reads > 2 * stored.table.golden.margins.length ? { ...scorecard, points } : scorecard;
    },
  };
  expect(whyDistrust({ table })).toMatch(/^run 3 gives /);
});
