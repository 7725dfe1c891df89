/**
 * Catches the further use of a stolen account: one of its recent transactions is known to be fraud, and this amount
 * is above its habit. Measures the amount by the median (ratio). Known false positive: the owner's first larger
 * purchase with a new card.
 */
import { featureOf } from '../../../domain/feature-schema.ts';
import type { Rule } from '../rule.ts';

const young = featureOf('young_frauds');
const rate = featureOf('fraud_rate_30d');
const ratio = featureOf('amount_to_median');

export const accountFraud: Rule = {
  id: 'account-fraud',
  reasonCode: 'ACCOUNT_FRAUD',
  summary: 'The account had a known fraud lately, and the amount is above its habit.',
  features: ['young_frauds', 'fraud_rate_30d', 'amount_to_median'],
  bounds: {},
  measure: (vector) => (young(vector) > 0 || rate(vector) > 0 ? ratio(vector) : Number.NaN),
  detail: (vector) =>
    `The account had a known fraud lately, and the amount is ${ratio(vector).toFixed(1)} times its median`,
};
