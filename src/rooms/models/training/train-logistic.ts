/**
 * Logistic regression by Newton's method on standardised inputs, with an L2 penalty. A missing value has a
 * weight of its own instead of an imputed value. There are no random numbers: the rows alone determine the
 * result.
 */
import { logistic, softPlus } from '../model/exponential.ts';
import { type LogisticFeature, type LogisticModel, standardise } from '../model/logistic-model.ts';
import { solveCholesky } from './cholesky.ts';
import { checkTrainingSet, type TrainingSet } from './training-set.ts';

export type LogisticOptions = {
  /** Penalty: l2 / 2 times the sum of squared weights, beside the summed loss; above 0. */
  readonly l2: number;
  /** Weight of a fraud; a legitimate row weighs 1. */
  readonly fraudWeight: number;
};

export const LOGISTIC_DEFAULTS: LogisticOptions = { l2: 1, fraudWeight: 1 };

/**
 * Most Newton steps: the loss is convex, a handful suffice, and many more mean that it is not the expected
 * loss.
 */
const STEPS_MAX = 50;
/** Halvings of a step that overshoots, before the weights count as found. */
const HALVINGS_MAX = 30;
/** Change of every weight below which they count as found. */
const STEP_MIN = 1e-9;

/**
 * Trains step by step and yields each step's number, so that the caller can show progress, and stop. Throws an
 * Error for options out of range and for a set with labels of one kind.
 */
export function* fitLogistic(
  training: TrainingSet,
  options: LogisticOptions,
): Generator<number, LogisticModel> {
  checkTrainingSet(training);
  const { l2, fraudWeight } = options;
  if (!(l2 > 0 && fraudWeight > 0)) throw new Error('l2 and fraudWeight must be above 0');
  const features = training.columns.map(describeColumn);
  const terms = 1 + 2 * features.length;
  const problem: Problem = { training, features, options, terms };
  let weights = new Float64Array(terms);
  let penalty = lossOf(problem, weights);
  for (let step = 0; step < STEPS_MAX; step++) {
    yield step + 1;
    const direction = newtonStep(problem, weights);
    let share = 1;
    let next = weights;
    let nextPenalty = Number.POSITIVE_INFINITY;
    for (let halving = 0; halving < HALVINGS_MAX && !(nextPenalty <= penalty); halving++) {
      next = weights.map((weight, term) => weight - share * (direction[term] ?? 0));
      nextPenalty = lossOf(problem, next);
      share /= 2;
    }
    if (!(nextPenalty <= penalty)) break;
    const moved = Math.max(...next.map((weight, term) => Math.abs(weight - (weights[term] ?? 0))));
    weights = next;
    penalty = nextPenalty;
    if (moved < STEP_MIN) break;
  }
  return {
    intercept: weights[0] ?? 0,
    features: features.map(
      (feature, index): LogisticFeature => ({
        name: training.featureNames[index] ?? '',
        mean: feature.mean,
        deviation: feature.deviation,
        weight: weights[1 + 2 * index] ?? 0,
        missingWeight: weights[2 + 2 * index] ?? 0,
      }),
    ),
  };
}

type ColumnFacts = { readonly mean: number; readonly deviation: number };

/** Layout of the weights: intercept, then weight and missing weight of each feature. */
type Problem = {
  readonly training: TrainingSet;
  readonly features: readonly ColumnFacts[];
  readonly options: LogisticOptions;
  readonly terms: number;
};

/** Mean and deviation of the present values; 0 and 1 where there is no variation. */
function describeColumn(column: Float32Array): ColumnFacts {
  let count = 0;
  let sum = 0;
  for (const value of column) {
    if (!Number.isFinite(value)) continue;
    count++;
    sum += value;
  }
  const mean = count === 0 ? 0 : sum / count;
  let squares = 0;
  for (const value of column) if (Number.isFinite(value)) squares += (value - mean) ** 2;
  const deviation = count === 0 ? 0 : Math.sqrt(squares / count);
  return { mean, deviation: deviation > 0 ? deviation : 1 };
}

/** Writes a row's terms: 1, and for each feature its standard value and 0, or 0 and 1 if missing. */
function loadRow({ training, features }: Problem, row: number, to: Float64Array): void {
  to[0] = 1;
  for (const [index, { mean, deviation }] of features.entries()) {
    const value = standardise(training.columns[index]?.[row] ?? Number.NaN, mean, deviation);
    const missing = Number.isNaN(value);
    to[1 + 2 * index] = missing ? 0 : value;
    to[2 + 2 * index] = missing ? 1 : 0;
  }
}

function marginOf(terms: Float64Array, weights: Float64Array): number {
  let margin = 0;
  for (let term = 0; term < terms.length; term++) {
    margin += (terms[term] as number) * (weights[term] as number);
  }
  return margin;
}

/** Penalised sum of the loss: ln(1 + e^-m), m being the margin in the direction of the label. */
function lossOf(problem: Problem, weights: Float64Array): number {
  const { labels } = problem.training;
  const { l2, fraudWeight } = problem.options;
  const terms = new Float64Array(problem.terms);
  let loss = 0;
  for (let row = 0; row < labels.length; row++) {
    loadRow(problem, row, terms);
    const margin = marginOf(terms, weights);
    loss += labels[row] === 1 ? fraudWeight * softPlus(-margin) : softPlus(margin);
  }
  for (let term = 1; term < weights.length; term++) loss += (l2 / 2) * (weights[term] ?? 0) ** 2;
  return loss;
}

/** The Newton step: to be subtracted from the weights. */
function newtonStep(problem: Problem, weights: Float64Array): Float64Array {
  const { labels } = problem.training;
  const { l2, fraudWeight } = problem.options;
  const size = problem.terms;
  const gradient = new Float64Array(size);
  const hessian = new Float64Array(size * size);
  const terms = new Float64Array(size);
  for (let row = 0; row < labels.length; row++) {
    loadRow(problem, row, terms);
    const fraud = labels[row] === 1;
    const weight = fraud ? fraudWeight : 1;
    const probability = logistic(marginOf(terms, weights));
    addRow(
      terms,
      weight * (probability - (fraud ? 1 : 0)),
      weight * probability * (1 - probability),
      {
        gradient,
        hessian,
      },
    );
  }
  for (let term = 0; term < size; term++) {
    // The intercept is not penalised, but its equation must be solvable at probabilities of 0 or 1.
    const at = term * size + term;
    hessian[at] = (hessian[at] ?? 0) + (term === 0 ? Number.EPSILON : l2);
    if (term > 0) gradient[term] = (gradient[term] ?? 0) + l2 * (weights[term] ?? 0);
  }
  if (!solveCholesky(hessian, gradient)) throw new Error('the loss has no minimum');
  return gradient;
}

type Derivatives = { readonly gradient: Float64Array; readonly hessian: Float64Array };

/** Adds a row to the gradient and to the lower half of the hessian. */
function addRow(terms: Float64Array, slope: number, curvature: number, to: Derivatives): void {
  const size = terms.length;
  for (let row = 0; row < size; row++) {
    const value = terms[row] as number;
    if (value === 0) continue;
    to.gradient[row] = (to.gradient[row] as number) + slope * value;
    const scaled = curvature * value;
    const start = row * size;
    for (let column = 0; column <= row; column++) {
      to.hessian[start + column] =
        (to.hessian[start + column] as number) + scaled * (terms[column] as number);
    }
  }
}
