/**
 * Checks a model before it is registered, and again wherever it is loaded to be run. Golden vectors are inputs with the margins
 * and probabilities they must give: they prove that this process computes what the process that made them computed.
 */
import { FEATURE_LIST, FEATURE_SCHEMA, featuresOf } from '../../../core/domain/feature-schema.ts';
import { POLICY } from '../../../core/domain/policy.ts';
import { isSlotName, type Slot, slotNames } from '../../../core/score/scorecard/day-table.ts';
import type { Random } from '../../../kit/random.ts';
import type { ModelManifest } from '../manifest.ts';
import { refuse } from '../model/bounds.ts';
import {
  bindFeatures,
  calibrateModel,
  loadModel,
  type Model,
  type ModelFile,
  openModel,
  readModelFile,
} from '../model/model.ts';

type GoldenVectors = ModelManifest['golden_vectors'];

/** Most vectors, each of which is run three times before a model may score: a second for the largest model. */
export const GOLDEN_VECTORS_MAX = 1000;
/** Vectors recorded for a model that has none. */
const RECORDED_ROWS = 64;
/** Repetitions: a model that depends on more than its input is unlikely to agree with itself this often. */
const RUNS = 3;

/** Names of the numbers of a vector, in its order. @param slots of the market */
export const featureNames = (slots: readonly Slot[]): readonly string[] => [
  ...FEATURE_LIST.map(({ name }) => name),
  ...slotNames(slots),
];

/**
 * Reads a file and proves that it is what its manifest says.
 * @throws Failure `MODEL_INVALID`
 */
export function checkModel(artefact: Uint8Array, manifest: ModelManifest): ModelFile {
  const { sha256, feature_schema, feature_names } = manifest;
  const features = featuresOf(feature_schema);
  if (features === undefined) {
    return refuse(
      'feature_schema',
      `${feature_schema}, but this engine computes ${FEATURE_SCHEMA}`,
    );
  }
  const file = readModelFile(artefact, feature_names);
  if (manifest.model.startsWith(`${POLICY}@`) !== 'policy' in file) {
    refuse('model', `${manifest.model}, but ${POLICY}@N is the name of each policy, and no other`);
  }
  const model = calibrateModel(openModel(file), manifest.calibration);
  if (model.sha256 !== sha256) refuse('sha256', `the file's is ${model.sha256}, not ${sha256}`);
  const differs = model.featureNames.findIndex((name, index) => name !== feature_names[index]);
  if (differs >= 0 || feature_names.length !== model.featureNames.length) {
    refuse('feature_names', 'are not those of the file, in its order');
  }
  checkGoldenVectors(model, manifest.golden_vectors);
  // A file is proven wherever it is: the market that loads it binds the slots.
  const slots = feature_schema === FEATURE_SCHEMA ? feature_names.filter(isSlotName) : [];
  bindFeatures(model, [...features.map(({ name }) => name), ...slots]);
  return file;
}

/** Members of a manifest that the file itself does not have. */
type Told = Pick<ModelManifest, 'feature_schema' | 'calibration' | 'lineage' | 'card'>;
export const UNTOLD: Told = {
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
  slots: readonly Slot[] = [],
): ModelManifest {
  const model = calibrateModel(loadModel(artefact), told.calibration);
  bindFeatures(model, featureNames(slots));
  return {
    model: name,
    sha256: model.sha256,
    feature_names: [...model.featureNames],
    ...told,
    golden_vectors: recordGoldenVectors(model, RECORDED_ROWS, random),
  };
}

/**
 * Runs the model and compares every bit (but the sign of zero, which JSON loses).
 * @throws Failure `MODEL_INVALID` naming the first vector that differs
 */
export function checkGoldenVectors(model: Model, golden: GoldenVectors): void {
  const rows = golden.length;
  if (rows === 0 || rows > GOLDEN_VECTORS_MAX) {
    refuse('golden_vectors', `${rows} vectors, needs 1 to ${GOLDEN_VECTORS_MAX}`);
  }
  const features = model.featureNames.length;
  for (const [row, { inputs }] of golden.entries()) {
    const why = `has ${inputs.length} values for ${features} features`;
    if (inputs.length !== features) refuse(`golden_vectors[${row}].inputs`, why);
  }
  const values = golden.flatMap(({ inputs }) => inputs.map((value) => value ?? Number.NaN));
  const batch = { rows, values: Float64Array.from(values) };
  for (let run = 1; run <= RUNS; run++) {
    const margins = model.marginOf(batch);
    for (const [row, expected] of golden.entries()) {
      const margin = margins[row] ?? Number.NaN;
      const given = { margin, probability: model.probabilityOf(margin) };
      for (const what of ['margin', 'probability'] as const) {
        if (given[what] === expected[what]) continue;
        const why = `run ${run} gives ${given[what]}, not ${expected[what]}`;
        refuse(`golden_vectors[${row}].${what}`, why);
      }
    }
  }
}

/** Candidate values: counts, amounts from tiny to absurd, either sign, missing. */
const MAGNITUDE_MIN = -3;
const MAGNITUDE_MAX = 7;
const MISSING_SHARE = 0.1;
const SMALL_SHARE = 0.4;
const NEGATIVE_SHARE = 0.2;
const SMALL_MAX = 5;

/** Records what the model gives here, for a file without vectors; it proves later processes and versions. */
export function recordGoldenVectors(model: Model, rows: number, random: Random): GoldenVectors {
  const draw = () => {
    const kind = random();
    if (kind < MISSING_SHARE) return Number.NaN;
    if (kind < MISSING_SHARE + SMALL_SHARE) return Math.floor(random() * (SMALL_MAX + 1));
    const magnitude = 10 ** (MAGNITUDE_MIN + random() * (MAGNITUDE_MAX - MAGNITUDE_MIN));
    return random() < NEGATIVE_SHARE ? -magnitude : magnitude;
  };
  const features = model.featureNames.length;
  const values = Float64Array.from({ length: rows * features }, draw);
  return Array.from(model.marginOf({ rows, values }), (margin, row) => ({
    inputs: Array.from(values.subarray(row * features, (row + 1) * features), (value) =>
      Number.isNaN(value) ? null : value,
    ),
    margin,
    probability: model.probabilityOf(margin),
  }));
}
