/** Checks a model before it is registered, and again wherever it is loaded to be run. */
import { FEATURE_SCHEMA, featuresOfSchema } from '../../../core/domain/feature-schema.ts';
import type { ModelManifest } from '../manifest.ts';
import {
  checkGoldenVectors,
  type GoldenVectors,
  recordGoldenVectors,
} from '../model/golden-vectors.ts';
import { bindFeatures, loadModel } from '../model/load-model.ts';
import { calibrateModel, type Model } from '../model/model.ts';
import type { Random } from '../model/random.ts';
import { refuse } from '../model/refusal.ts';

/** Vectors recorded for a model that has none. */
const RECORDED_ROWS = 64;

const namesOf = (features: readonly { readonly name: string }[]) =>
  features.map(({ name }) => name);

/**
 * The model as it is run, its probabilities calibrated.
 * @throws Failure `MODEL_INVALID`
 */
export function checkModel(artefact: Uint8Array, manifest: ModelManifest): Model {
  const { sha256, feature_schema, feature_names } = manifest;
  // A vector of an older schema is a prefix of today's, so models of older schemas run as before.
  const schema = featuresOfSchema(feature_schema);
  if (schema === undefined) {
    refuse('feature_schema', `${feature_schema}, but this engine computes ${FEATURE_SCHEMA}`);
  }
  const model = calibrateModel(loadModel(artefact, feature_names), manifest.calibration);
  if (model.sha256 !== sha256) refuse('sha256', `the file's is ${model.sha256}, not ${sha256}`);
  const differs = model.featureNames.findIndex((name, index) => name !== feature_names[index]);
  if (differs >= 0 || feature_names.length !== model.featureNames.length) {
    refuse('feature_names', 'are not those of the file, in its order');
  }
  bindFeatures(model, namesOf(schema));
  checkGoldenVectors(model, toGoldenVectors(manifest));
  return model;
}

/** What the file itself does not say. */
type Told = Pick<ModelManifest, 'feature_schema' | 'calibration' | 'lineage' | 'card'>;
const UNTOLD: Told = {
  feature_schema: FEATURE_SCHEMA,
  calibration: null,
  lineage: { trained: null, code_version: null, parent: null },
  card: null,
};

/**
 * The manifest of a file without one, or of a model trained here; golden vectors are recorded.
 * @throws Failure `MODEL_INVALID`
 */
export function describeModel(
  artefact: Uint8Array,
  name: string,
  random: Random,
  told: Told = UNTOLD,
): ModelManifest {
  const model = calibrateModel(loadModel(artefact), told.calibration);
  bindFeatures(model, namesOf(featuresOfSchema(told.feature_schema) ?? []));
  return {
    model: name,
    sha256: model.sha256,
    feature_names: [...model.featureNames],
    ...told,
    golden_vectors: fromGoldenVectors(recordGoldenVectors(model, RECORDED_ROWS, random)),
  };
}

function fromGoldenVectors({ inputs, margins, probabilities }: GoldenVectors) {
  const features = inputs.values.length / inputs.rows;
  return Array.from(margins, (margin, row) => ({
    inputs: Array.from(inputs.values.subarray(row * features, (row + 1) * features), (value) =>
      Number.isNaN(value) ? null : value,
    ),
    margin,
    probability: probabilities[row] ?? Number.NaN,
  }));
}

export function toGoldenVectors({ feature_names, golden_vectors }: ModelManifest): GoldenVectors {
  for (const [row, { inputs }] of golden_vectors.entries()) {
    if (inputs.length !== feature_names.length) {
      const why = `has ${inputs.length} values for ${feature_names.length} features`;
      refuse(`golden_vectors[${row}].inputs`, why);
    }
  }
  const values = golden_vectors.flatMap(({ inputs }) => inputs.map((value) => value ?? Number.NaN));
  return {
    inputs: { rows: golden_vectors.length, values: Float64Array.from(values) },
    margins: Float64Array.from(golden_vectors, ({ margin }) => margin),
    probabilities: Float64Array.from(golden_vectors, ({ probability }) => probability),
  };
}
