/** What exists in a market, in plain words: corridors, reason codes and features. */
import { z } from 'zod';
import { FEATURE_LIST, firstSchemaOf } from '../domain/feature-schema.ts';
import { REASON_CODES } from '../scoring/reason-codes.ts';

export const corridorSchema = z
  .object({
    corridor: z.string().meta({ description: 'Name, as transactions carry it.' }),
    source: z.string().meta({ description: 'Country the money leaves, ISO 3166 alpha-2.' }),
    destination: z.string().meta({ description: 'Country it goes to.' }),
  })
  .meta({ id: 'Corridor' });
type CorridorJson = z.infer<typeof corridorSchema>;

const REASON_ORIGINS = ['rule', 'model'] as const;

export const reasonCodeSchema = z
  .object({
    code: z.string().meta({ description: 'As in `reasons` of a score.' }),
    description: z.string().meta({ description: 'What it says of a transaction.' }),
    origin: z
      .enum(REASON_ORIGINS)
      .meta({ description: 'What gives it: a rule, or a model that decides.' }),
    rule_sets: z
      .array(z.string())
      .meta({ description: 'Rule sets whose scores may have it; empty for a model.' }),
    features: z.array(z.string()).meta({ description: 'What it is measured from.' }),
  })
  .meta({ id: 'ReasonCode' });
export type ReasonCodeJson = z.infer<typeof reasonCodeSchema>;

export const featureSchema = z
  .object({
    name: z.string(),
    unit: z.string(),
    description: z.string(),
    position: z.int().meta({ description: 'Place in the stored vector, from 0.' }),
    feature_schema: z.int().meta({ description: 'The first schema that has it.' }),
  })
  .meta({ id: 'Feature' });
export type FeatureJson = z.infer<typeof featureSchema>;

export const REASONS: readonly ReasonCodeJson[] = REASON_CODES.map(
  ({ ruleSets, features, ...reason }) => ({
    ...{ ...reason, rule_sets: [...ruleSets], features: [...features] },
  }),
);

export const FEATURES: readonly FeatureJson[] = FEATURE_LIST.map((feature, position) => ({
  ...{ ...feature, position, feature_schema: firstSchemaOf(position) },
}));

export function toCorridorJson(corridor: string): CorridorJson {
  const [source = '', destination = ''] = corridor.split('-');
  return { corridor, source, destination };
}
