/** The typed catalogue of a market with values of yesterday, by which people choose the numbers of a rule. */
import { z } from 'zod';
import {
  type CatalogueName,
  createCatalogue,
  fieldName,
} from '../../core/score/rules/expression/catalogue.ts';
import { createPauses } from '../../kit/process/pauses.ts';
import type { FieldJson } from './metadata-fields.ts';
import type { SampledRow, Yesterday } from './yesterday.ts';

export const catalogueNameSchema = z
  .object({
    name: z.string(),
    type: z.enum(['number', 'amount', 'text', 'boolean']).meta({
      description: 'Amounts compare with amounts alone.',
    }),
    unit: z.string(),
    description: z.string(),
    values: z
      .object({
        median: z.number(),
        p99: z.number().meta({ description: 'What 99 of 100 values do not exceed.' }),
        missing: z.number().min(0).max(1).meta({ description: 'Share of scores without a value.' }),
      })
      .nullable()
      .meta({ description: 'Of the sample of yesterday; null without a value.' }),
  })
  .meta({ id: 'CatalogueName' });
type CatalogueNameJson = z.infer<typeof catalogueNameSchema>;
/** By the sample, so that names are described once for each. */
const described = new WeakMap<Yesterday, CatalogueNameJson[]>();

export async function describeNames(sample: Yesterday, fields: readonly FieldJson[]) {
  const own = fields.map(({ name, type, description }) => fieldName(name, type, description));
  const known = described.get(sample) ?? (await describeBuilt(sample));
  described.set(sample, known);
  const items = [...own.map((name) => describe(name, sample)), ...known];
  return { sampled: sample.rows.length, items };
}

async function describeBuilt(sample: Yesterday): Promise<CatalogueNameJson[]> {
  const pause = createPauses();
  const items: CatalogueNameJson[] = [];
  for (const name of createCatalogue().names.values()) {
    await pause();
    items.push(describe(name, sample));
  }
  return items;
}

function describe(
  { name, type, unit, description, source }: CatalogueName,
  { rows }: Yesterday,
): CatalogueNameJson {
  const read = ({ vector, opinion, ruleInputs }: SampledRow) => {
    if (source.at === 'feature') return vector[source.index];
    if (source.at === 'probability') return opinion?.probability;
    const value = ruleInputs?.[source.key];
    return typeof value === 'number' ? value : undefined;
  };
  const isNumber = type === 'number' || type === 'amount';
  return { name, type, unit, description, values: isNumber ? valuesOf(rows.map(read)) : null };
}

function valuesOf(all: readonly (number | undefined)[]): CatalogueNameJson['values'] {
  const values = Float64Array.from(all.filter((name) => name !== undefined && !Number.isNaN(name)));
  if (values.length === 0) return null;
  values.sort();
  const at = (share: number) => values[Math.floor(share * (values.length - 1))] as number;
  return { median: at(0.5), p99: at(0.99), missing: 1 - values.length / all.length };
}
