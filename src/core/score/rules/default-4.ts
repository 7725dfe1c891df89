/**
 * default@4, the rule set of the build: default@3, whose rules all had frauds among their hits, and rules for what devices and the
 * table of the day tell of a market without labels. Their weights were chosen on three simulated processes; what says little alone
 * counts where the amount is raised as well.
 */
import { default3 } from './default-3.ts';
import { bandsOf } from './measures.ts';
import type { RuleData, RuleSetData } from './rule-set-data.ts';

/** Known false positive: a journey, a holiday. */
const unusualHour: RuleData = {
  id: 'unusual-hour',
  code: 'UNUSUAL_HOUR',
  sentence: 'A raised amount at an hour at which this account seldom pays.',
  when: 'siblings >= 5 && amount_to_median >= 1.3',
  measure: 'hour_surprise',
  bands: bandsOf([0.3, 0.02], [0.5, 0.05], [0.7, 0.1], [1, 0.2]),
  detail:
    '{amount_to_median:1} times the usual amount between {hour}:00 and {hour}:59 UTC, when this account seldom pays',
};

/** Measures how few numbers of the market are as great, in decades. Known false positive: a purchase far from home on a journey. */
const rareNumber: RuleData = {
  id: 'rare-number',
  code: 'RARE_NUMBER',
  sentence: 'An unusual hour, a raised amount, and a declared number that few payments reach.',
  when: 'siblings >= 5 && amount_to_median >= 1.3 && hour_surprise >= 0.3',
  measure: 'number_tail_max',
  bands: bandsOf([1, 0.6], [1.3, 0.8], [1.7, 0.9]),
  detail:
    'A declared number that few payments reach, at an unusual hour, with {amount_to_median:1} times the usual amount',
};

/**
 * Passes over a device that is in use for a month or that very many accounts share, as a till. Known false positive: the new
 * computer of a large family, the first month of a small shop's till.
 */
const sharedDevice: RuleData = {
  id: 'shared-device',
  code: 'SHARED_DEVICE',
  sentence: 'Several accounts use a device that the market has known for less than a month.',
  when: 'siblings >= 5 && device_age_hours < 720 && device_accounts_30d < 25 && (first_device == 1 || device_accounts_30d >= 4)',
  measure: 'device_accounts_30d',
  bands: bandsOf([3, 0.75], [6, 0.78]),
  detail: '{measure} accounts used this device, first seen {device_age_hours / 24:0} days ago',
};

/** Known false positive: the first larger purchase with a new phone. */
const youngDevice: RuleData = {
  id: 'young-device',
  code: 'YOUNG_DEVICE',
  sentence: 'A raised amount with a device that the market first saw within a day.',
  when: 'siblings >= 5 && device_age_hours < 24 && amount_to_median >= 2',
  weight: 0.6,
  detail:
    '{amount_to_median:1} times the usual amount with a device first seen {device_age_hours:0} hours ago',
};

/** Known false positive: a new phone on a journey. */
const youngDeviceAtUnusualHour: RuleData = {
  id: 'young-device-at-unusual-hour',
  code: 'YOUNG_DEVICE_AT_UNUSUAL_HOUR',
  sentence:
    'A device that the market first saw within a day, at an hour at which this account seldom pays.',
  when: 'siblings >= 5 && device_age_hours < 24 && hour_surprise >= 0.3',
  weight: 0.92,
  detail:
    'A device first seen {device_age_hours:0} hours ago, between {hour}:00 and {hour}:59 UTC, when this account seldom pays',
};

export const default4: RuleSetData = {
  ...default3,
  id: 'default@4',
  feature_schema: 4,
  rules: [
    ...default3.rules,
    ...[unusualHour, rareNumber, sharedDevice, youngDevice, youngDeviceAtUnusualHour],
  ],
};
