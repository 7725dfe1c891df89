/**
 * Catches a taken-over account by an account used from a country it never was used from. Measures how many siblings
 * (transactions) without it stand against this one. Known false positive: travel.
 */
import { featureOf } from '../../../domain/feature-schema.ts';
import type { Rule } from '../rule.ts';

const first = featureOf('first_country');
const siblings = featureOf('siblings');

export const newCountry: Rule = {
  id: 'new-country',
  reasonCode: 'NEW_COUNTRY',
  summary: 'This account was never used from this country before.',
  features: ['first_country', 'siblings'],
  bounds: {},
  measure: (vector) => (first(vector) === 1 ? siblings(vector) : Number.NaN),
  detail: (vector) => `First use from this country among ${siblings(vector)} transactions`,
};
