/**
 * L-BFGS: minimises a smooth convex function of thousands of terms by its gradient alone. It adds in a fixed order, so the same
 * function gives the same terms to the bit.
 */
import type { Loss } from './loss.ts';

/** Steps whose changes of terms and gradient are remembered. Fewer: more steps; more: memory, and hardly fewer steps. */
const MEMORY = 8;
const STEPS_MAX = 80;
/** Share of the first scaled gradient step, which overshoots where many measures say the same. */
const FIRST_STEP = 0.3;
/** Share of the gain that the slope promises, below which a step is shortened. */
const ARMIJO = 1e-4;
const SHORTER = 0.4;
const SHORTENED_MAX = 30;
/** A step that gains less is small, and two small ones in a row end the search. */
const SMALL_GAIN = 1e-5;
const SMALL_STEPS_MAX = 2;

type Change = {
  readonly terms: Float64Array;
  readonly gradient: Float64Array;
  /** Product of both, above 0. */
  readonly curvature: number;
};

export function* minimise({ start, curvature, at }: Loss): Generator<undefined, Float64Array> {
  let terms = start.slice();
  let gradient = new Float64Array(start.length);
  let value = at(terms, gradient);
  let next = new Float64Array(start.length);
  let nextGradient = new Float64Array(start.length);
  const changes: Change[] = [];
  let small = 0;
  let steps = 0;
  while (steps < STEPS_MAX && small < SMALL_STEPS_MAX) {
    yield;
    const direction = directionOf(gradient, curvature, changes);
    const promised = product(direction, gradient);
    let length = steps === 0 ? FIRST_STEP : 1;
    let nextValue = Number.POSITIVE_INFINITY;
    for (let tried = 0; tried < SHORTENED_MAX; tried++, length *= SHORTER) {
      for (let term = 0; term < terms.length; term++) {
        next[term] = (terms[term] as number) + length * (direction[term] as number);
      }
      nextValue = at(next, nextGradient);
      if (nextValue <= value + ARMIJO * length * promised) break;
    }
    // Rounding leaves no step that gains.
    if (!(nextValue < value)) break;
    steps++;
    small = value - nextValue < SMALL_GAIN * Math.abs(value) ? small + 1 : 0;
    remember(changes, terms, next, gradient, nextGradient);
    [terms, next] = [next, terms];
    [gradient, nextGradient] = [nextGradient, gradient];
    value = nextValue;
  }
  return terms;
}

/** Down the gradient, bent by what the last steps have shown. */
function directionOf(
  gradient: Float64Array,
  curvature: Float64Array,
  changes: readonly Change[],
): Float64Array<ArrayBuffer> {
  const direction = Float64Array.from(gradient, (value) => -value);
  const shares = new Float64Array(changes.length);
  for (let nth = changes.length - 1; nth >= 0; nth--) {
    const change = changes[nth] as Change;
    const share = product(change.terms, direction) / change.curvature;
    shares[nth] = share;
    add(direction, -share, change.gradient);
  }
  const scale = scaleOf(changes.at(-1), curvature);
  for (let term = 0; term < direction.length; term++) {
    direction[term] = ((direction[term] as number) * scale) / (curvature[term] as number);
  }
  for (let nth = 0; nth < changes.length; nth++) {
    const change = changes[nth] as Change;
    const share = product(change.gradient, direction) / change.curvature;
    add(direction, (shares[nth] as number) - share, change.terms);
  }
  return direction;
}

/** How much flatter the function is than its curvature at the start says. */
function scaleOf(newest: Change | undefined, curvature: Float64Array): number {
  if (newest === undefined) return 1;
  let squares = 0;
  for (let term = 0; term < curvature.length; term++) {
    const change = newest.gradient[term] as number;
    squares += (change * change) / (curvature[term] as number);
  }
  return newest.curvature / squares;
}

function remember(
  changes: Change[],
  terms: Float64Array,
  next: Float64Array,
  gradient: Float64Array,
  nextGradient: Float64Array,
): void {
  const change = {
    terms: next.map((value, term) => value - (terms[term] as number)),
    gradient: nextGradient.map((value, term) => value - (gradient[term] as number)),
  };
  const curvature = product(change.terms, change.gradient);
  // Rounding may hide the curvature of a tiny step.
  if (!(curvature > 0)) return;
  if (changes.length === MEMORY) changes.shift();
  changes.push({ ...change, curvature });
}

function product(left: Float64Array, right: Float64Array): number {
  let sum = 0;
  for (let term = 0; term < left.length; term++) {
    sum += (left[term] as number) * (right[term] as number);
  }
  return sum;
}

function add(to: Float64Array, share: number, other: Float64Array): void {
  for (let term = 0; term < to.length; term++) {
    to[term] = (to[term] as number) + share * (other[term] as number);
  }
}
