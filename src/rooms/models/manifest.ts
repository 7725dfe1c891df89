/**
 * The manifest of a model file: name, features, golden vectors, origin. It is a JSON file beside the model, and
 * columns of its row.
 */
import { z } from 'zod';
import { plainText } from '../../kit/words/plain-text.ts';
import { calibrationSchema } from './model/calibration.ts';

const CODE_VERSION_CHARS_MAX = 64;
/** Most bytes as compact JSON. */
const CARD_CHARS_MAX = 1_000_000;

/** `name@version`, as a score names its model. */
export const modelName = z.string().regex(/^[a-z][a-z0-9-]{0,62}@[A-Za-z0-9][A-Za-z0-9.-]{0,62}$/, {
  error: 'must be NAME@VERSION, as baseline@2026-11-01',
});

const goldenVector = z.strictObject({
  /** In the order of `feature_names`; null is missing. */
  inputs: z.array(z.number().nullable()),
  margin: z.number(),
  /** The calibrated probability. */
  probability: z.number().min(0).max(1),
});

const lineage = z.strictObject({
  /** Dates inclusive, UTC; labels known by that time were used. */
  trained: z
    .strictObject({ from: z.iso.date(), to: z.iso.date(), known_by: z.iso.datetime() })
    .refine(({ from, to }) => from <= to, 'ends before it begins')
    .nullable(),
  code_version: plainText(CODE_VERSION_CHARS_MAX).nullable(),
  parent: modelName.nullable(),
});

export const modelManifestSchema = z.strictObject({
  model: modelName,
  sha256: z.string().regex(/^[0-9a-f]{64}$/, { error: 'must be 64 hexadecimal digits' }),
  feature_schema: z.int().min(1),
  feature_names: z.array(z.string()),
  /** Null: probabilities are those of the file's format. */
  calibration: calibrationSchema.nullable(),
  golden_vectors: z.array(goldenVector),
  lineage,
  card: z
    .record(z.string(), z.unknown())
    .refine((card) => JSON.stringify(card).length <= CARD_CHARS_MAX, {
      error: `must be at most ${CARD_CHARS_MAX} characters of JSON`,
    })
    .nullable(),
});
export type ModelManifest = z.infer<typeof modelManifestSchema>;
export type ModelLineage = ModelManifest['lineage'];
