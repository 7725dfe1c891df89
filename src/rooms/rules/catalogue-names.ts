/** The typed catalogue of a market with values of yesterday, by which people choose the numbers of a rule. */
import { FEATURE_SCHEMA } from '../../core/domain/feature-schema.ts';
import { createCatalogue, NOTHING_DECLARED } from '../../core/score/rules/expression/catalogue.ts';
import { createPauses, type DaySample, type SampledRow } from './day-sample.ts';
import type { CatalogueNameJson } from './preview-record.ts';

/** By the sample, so that names are described once for each. */
const described = new WeakMap<DaySample, CatalogueNameJson[]>();

export async function describeNames(sample: DaySample) {
  const sampled = sample.rows.length;
  const known = described.get(sample);
  if (known !== undefined) return { sampled, items: known };
  const pause = createPauses();
  const items: CatalogueNameJson[] = [];
  const { names } = createCatalogue(FEATURE_SCHEMA, NOTHING_DECLARED) ?? { names: new Map() };
  for (const { name, type, unit, description, source } of names.values()) {
    await pause();
    const read = ({ vector, opinion }: SampledRow) =>
      source.at === 'feature' ? vector[source.index] : opinion?.probability;
    const values = source.at === 'input' ? null : valuesOf(sample.rows.map(read));
    items.push({ name, type, unit, description, values });
  }
  described.set(sample, items);
  return { sampled, items };
}

function valuesOf(all: readonly (number | undefined)[]): CatalogueNameJson['values'] {
  const values = Float64Array.from(all.filter((one) => one !== undefined && !Number.isNaN(one)));
  if (values.length === 0) return null;
  values.sort();
  const at = (share: number) => values[Math.floor(share * (values.length - 1))] as number;
  return { median: at(0.5), p99: at(0.99), missing: 1 - values.length / all.length };
}
