/**
 * Catches two people using one account: two countries within a time nobody travels in. Measures how
 * many hours of a journey are missing: the shortest believable journey less the time since the newest
 * sibling in the other country. Known false positive: a VPN, a card used online abroad.
 */
import { featureOf } from '../../../domain/feature-schema.ts';
import type { Rule } from '../rule.ts';

const changeHours = featureOf('country_change_hours');

export const impossibleTravel: Rule = {
  id: 'impossible-travel',
  reasonCode: 'IMPOSSIBLE_TRAVEL',
  summary: 'Another country sooner than anybody could have travelled there.',
  features: ['country_change_hours'],
  bounds: { journeyHours: 'shortest believable journey between two countries, hours' },
  measure: (vector, bounds) => (bounds['journeyHours'] ?? 0) - changeHours(vector),
  detail: (vector) => `Another country ${changeHours(vector).toFixed(1)} hours after the last one`,
};
