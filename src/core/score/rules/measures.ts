/**
 * How a rule weighs a value: by bands, or by a measure that no expression says as well, which a rule names by
 * `measure: { code, bounds }`. A measure that ever decided stays here unchanged.
 */
import { type FeatureName, featureOf } from '../../domain/feature-schema.ts';
import type { Band } from './rule-set-data.ts';

/** Bands as a table of `from` and `weight`. */
export function bandsOf(...bands: readonly (readonly [from: number, weight: number])[]): Band[] {
  return bands.map(([from, weight]) => ({ from, weight }));
}

/** Index of the band that holds a value (lower bound inclusive); -1 below the first one and for NaN. */
export function bandIndex(bands: readonly Band[], value: number): number {
  let found = -1;
  for (let index = 0; index < bands.length; index++) {
    const band = bands[index];
    if (band === undefined || !(value >= band.from)) break;
    found = index;
  }
  return found;
}

/** Weight of a value in the band that holds it; 0 when none does. Never falls as the value rises. */
export function bandWeight(bands: readonly Band[], value: number): number {
  const index = bandIndex(bands, value);
  const band = bands[index];
  if (band === undefined) return 0;
  const next = bands[index + 1];
  if (next === undefined) return band.weight;
  const share = (value - band.from) / (next.from - band.from);
  return band.weight + (next.weight - band.weight) * share;
}

/** Numbers of a measure's conditions, by name. */
export type Bounds = Readonly<Record<string, number>>;

export type CodeMeasure = {
  /** Every feature it reads. */
  readonly features: readonly FeatureName[];
  /** Names and units of the bounds that a rule must give. */
  readonly bounds: Readonly<Record<string, string>>;
  /** Gives the value that the bands judge; NaN, which never fires, when a feature is missing or a condition does not hold. */
  measureBy(bounds: Bounds): (vector: Float64Array) => number;
};

const merchants1h = featureOf('merchants_1h');
const firstMerchant = featureOf('first_merchant');
const usual1h = featureOf('usual_1h');

/** The distinct merchants of an hour, and the present merchant if the account never paid there; a merchant that may be known counts for none. */
const burstAcrossMerchants: CodeMeasure = {
  features: ['merchants_1h', 'first_merchant', 'usual_1h'],
  bounds: { timesUsual: 'least ratio to the usual number of transactions an hour' },
  measureBy({ timesUsual = 0 }) {
    return (vector) => {
      const now = merchants1h(vector) + (firstMerchant(vector) === 1 ? 1 : 0);
      return now >= timesUsual * usual1h(vector) ? now : Number.NaN;
    };
  },
};

export const CODE_MEASURES: ReadonlyMap<string, CodeMeasure> = new Map([
  ['burst-across-merchants', burstAcrossMerchants],
]);
