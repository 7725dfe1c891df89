/**
 * Catches account takeover: a device the account never used. Measures how many siblings (transactions)
 * without it stand against this one. Known false positive: a new phone, hence the small weight; with
 * a new country or a raised amount it adds up.
 */
import { featureOf } from '../../../domain/feature-schema.ts';
import type { Rule } from '../rule.ts';

const first = featureOf('first_device');
const siblings = featureOf('siblings');

export const newDevice: Rule = {
  id: 'new-device',
  reasonCode: 'NEW_DEVICE',
  summary: 'This account never used this device before.',
  features: ['first_device', 'siblings'],
  bounds: {},
  measure: (vector) => (first(vector) === 1 ? siblings(vector) : Number.NaN),
  detail: (vector) => `First use of this device among ${siblings(vector)} transactions`,
};
