/**
 * Measures that no expression says as well; a rule names one by `measure: { code, bounds }`. A measure that ever decided stays
 * here unchanged.
 */
import { type FeatureName, featureOf } from '../../domain/feature-schema.ts';

/** Numbers of a measure's conditions, by name. */
export type Bounds = Readonly<Record<string, number>>;

export type CodeMeasure = {
  /** Every feature it reads. */
  readonly features: readonly FeatureName[];
  /** Names and units of the bounds that a rule must give. */
  readonly bounds: Readonly<Record<string, string>>;
  /** The value that the bands judge; NaN, which never fires, when a feature is missing or a condition does not hold. */
  measure(vector: Float64Array, bounds: Bounds): number;
};

const merchants1h = featureOf('merchants_1h');
const firstMerchant = featureOf('first_merchant');
const usual1h = featureOf('usual_1h');

/** The distinct merchants of an hour, this one too if it was never seen; a merchant that may have been seen counts for none. */
const burstAcrossMerchants: CodeMeasure = {
  features: ['merchants_1h', 'first_merchant', 'usual_1h'],
  bounds: { timesUsual: 'least ratio to the usual number of transactions an hour' },
  measure(vector, bounds) {
    const now = merchants1h(vector) + (firstMerchant(vector) === 1 ? 1 : 0);
    return now >= (bounds['timesUsual'] ?? 0) * usual1h(vector) ? now : Number.NaN;
  },
};

export const CODE_MEASURES: ReadonlyMap<string, CodeMeasure> = new Map([
  ['burst-across-merchants', burstAcrossMerchants],
]);
