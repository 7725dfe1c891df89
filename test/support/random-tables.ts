/** Tables of the day with cuts and points of a seed, which no night has learnt. */
import { BUCKETS, CUTS } from '../../src/core/score/scorecard/cuts.ts';
import {
  type Slot,
  type StoredTable,
  slotNames,
} from '../../src/core/score/scorecard/day-table.ts';
import { measureNames } from '../../src/core/score/scorecard/measures.ts';
import type { Random } from '../../src/kit/random.ts';
import { dayTable } from './day-tables.ts';

export function randomTable(random: Random, slots: readonly Slot[] = [], serial = 1): StoredTable {
  const measures = measureNames(slotNames(slots));
  const cuts = Float32Array.from({ length: measures.length * CUTS }, () => 100 * random());
  for (let at = 0; at < cuts.length; at += CUTS) cuts.subarray(at, at + CUTS).sort();
  const points = Float64Array.from({ length: measures.length * BUCKETS }, () => 4 * random() - 2);
  const slopes = { slope: 1 + random(), labelSlope: 1 + random() };
  const scorecard = { constant: random() - 1, ...slopes, points, cuts };
  return { serial, sha256: 'a'.repeat(64), table: dayTable({ slots, measures, scorecard }) };
}
