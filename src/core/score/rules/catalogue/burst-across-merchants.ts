/**
 * Catches a stolen card spent before it is blocked: many merchants within an hour. Measures the
 * distinct merchants of the last hour (at least those of its siblings; this one's too when it is new).
 * Known false positive: shopping centres, market places that settle each seller apart.
 */
import { featureOf } from '../../../domain/feature-schema.ts';
import type { Rule } from '../rule.ts';

const merchants = featureOf('merchants_1h');
const first = featureOf('first_merchant');
const usual = featureOf('usual_1h');

/** Distinct merchants of the hour; a merchant never seen is certainly none of them. */
function merchantsNow(vector: Float64Array): number {
  return merchants(vector) + (first(vector) === 1 ? 1 : 0);
}

export const burstAcrossMerchants: Rule = {
  id: 'burst-across-merchants',
  reasonCode: 'BURST_ACROSS_MERCHANTS',
  summary: 'Many different merchants within an hour.',
  features: ['merchants_1h', 'first_merchant', 'usual_1h'],
  bounds: { timesUsual: 'least ratio to the usual number of transactions an hour' },
  measure(vector, bounds) {
    const now = merchantsNow(vector);
    return now >= (bounds['timesUsual'] ?? 0) * usual(vector) ? now : Number.NaN;
  },
  detail: (vector) => `${merchantsNow(vector)} different merchants within an hour`,
};
