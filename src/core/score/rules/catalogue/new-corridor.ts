/**
 * Catches a taken-over account by money sent along a corridor the account never used. Measures how many siblings
 * (transactions) without it stand against this one. Known false positive: a relative moves, a first remittance.
 */
import { featureOf } from '../../../domain/feature-schema.ts';
import type { Rule } from '../rule.ts';

const first = featureOf('first_corridor');
const siblings = featureOf('siblings');

export const newCorridor: Rule = {
  id: 'new-corridor',
  reasonCode: 'NEW_CORRIDOR',
  summary: 'This account never sent along this corridor before.',
  features: ['first_corridor', 'siblings'],
  bounds: {},
  measure: (vector) => (first(vector) === 1 ? siblings(vector) : Number.NaN),
  detail: (vector) => `First transfer along this corridor among ${siblings(vector)} transactions`,
};
