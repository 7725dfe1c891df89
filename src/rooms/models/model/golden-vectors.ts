/**
 * Inputs of a model with the margins and probabilities it must give. Before it may score they prove that this
 * process computes what the process that made the vectors computed.
 */
import { type Batch, checkBatch } from './batch.ts';
import { GOLDEN_VECTORS_MAX } from './bounds.ts';
import type { Model } from './model.ts';
import type { Random } from './random.ts';
import { refuse } from './refusal.ts';

export type GoldenVectors = {
  /** Columns in the order of the model's features. */
  readonly inputs: Batch;
  /** One vector per row. */
  readonly margins: Float64Array;
  readonly probabilities: Float64Array;
};

/** Repetitions: a model that depends on more than its input is unlikely to agree with itself this often. */
const RUNS = 3;

/**
 * Runs the model and compares every bit (but the sign of zero, which JSON loses).
 * @throws Failure `MODEL_INVALID` naming the first vector that differs
 */
export function checkGoldenVectors(model: Model, golden: GoldenVectors): void {
  const { rows } = golden.inputs;
  if (rows === 0 || rows > GOLDEN_VECTORS_MAX) {
    refuse('golden_vectors', `${rows} vectors, needs 1 to ${GOLDEN_VECTORS_MAX}`);
  }
  checkBatch(golden.inputs, model.featureNames.length);
  for (let run = 1; run <= RUNS; run++) {
    const margins = model.marginOf(golden.inputs);
    for (let row = 0; row < rows; row++) {
      const margin = margins[row] ?? Number.NaN;
      const compare = (what: string, given: number, expected: number | undefined) => {
        if (given === expected) return;
        refuse(`golden_vectors[${row}].${what}`, `run ${run} gives ${given}, not ${expected}`);
      };
      compare('margin', margin, golden.margins[row]);
      compare('probability', model.probabilityOf(margin), golden.probabilities[row]);
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
  const values = Float64Array.from({ length: rows * model.featureNames.length }, draw);
  const inputs = { rows, values };
  const margins = model.marginOf(inputs);
  return { inputs, margins, probabilities: margins.map((margin) => model.probabilityOf(margin)) };
}
