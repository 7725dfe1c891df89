/** Golden vectors of a table: before a process judges by a table, it proves that it reads the table as the night did. */
import { createRandom } from '../../../kit/random.ts';
import { FEATURE_COUNT } from '../../domain/feature-schema.ts';
import type { DayTable, Golden } from './day-table.ts';
import { type Judging, marginBy } from './judge-by-table.ts';

/** More: bytes of each table. Fewer: a point that was changed is seldom met. */
const VECTORS = 8;
const RUNS = 3;
const MISSING_SHARE = 0.1;
const GREATEST = 1000;

/** Vectors of no payment: most values are small, as those of features are. */
export function goldenOf(by: Judging): Golden {
  const random = createRandom('golden');
  const inputs = Float64Array.from({ length: VECTORS * FEATURE_COUNT }, () => {
    const drawn = random();
    return drawn < MISSING_SHARE ? Number.NaN : GREATEST * drawn * drawn * drawn;
  });
  return { inputs, margins: marginsOf(by, inputs) };
}

/** Says which run gave another margin than the night; undefined where all gave the same ones, to the bit. */
export function whyDistrust(by: { readonly table: DayTable }): string | undefined {
  const { inputs, margins } = by.table.golden;
  for (let run = 1; run <= RUNS; run++) {
    const found = marginsOf(by, inputs);
    const wrong = margins.findIndex((margin, nth) => !Object.is(found[nth], margin));
    if (wrong >= 0) return `run ${run} gives ${found[wrong]}, not ${margins[wrong]}`;
  }
  return undefined;
}

const marginsOf = (by: Judging, inputs: Float64Array) =>
  Float64Array.from({ length: inputs.length / FEATURE_COUNT }, (_, nth) =>
    marginBy(by, inputs.subarray(nth * FEATURE_COUNT, (nth + 1) * FEATURE_COUNT)),
  );
