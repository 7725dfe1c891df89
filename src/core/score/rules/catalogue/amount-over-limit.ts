/**
 * Catches a single transfer at or above the reporting limit of its currency: too much to move unseen.
 * Measures the amount in limits (ratio). Known false positive: businesses whose invoices are that
 * large; the account's own habit (`amount-over-habit`) tells them apart, so the weight is small.
 */
import { featureOf } from '../../../domain/feature-schema.ts';
import type { Rule } from '../rule.ts';

const amountToLimit = featureOf('amount_to_limit');
const amount = featureOf('amount');

export const amountOverLimit: Rule = {
  id: 'amount-over-limit',
  reasonCode: 'AMOUNT_OVER_LIMIT',
  summary: 'The amount reaches the reporting limit of its currency.',
  features: ['amount_to_limit', 'amount'],
  bounds: {},
  measure: amountToLimit,
  detail: (vector) =>
    `Amount ${amount(vector).toFixed(2)} is ${amountToLimit(vector).toFixed(1)} times the reporting limit`,
};
