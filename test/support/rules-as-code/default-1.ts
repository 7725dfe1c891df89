/**
 * default@1, the rule set a new installation starts with. Values are ratios to the account's or the merchant's
 * own history, never sums of money, so they hold in any currency. Weights and bounds were chosen on labelled
 * card payments (weeks before the evaluated ones) and on simulated scenarios; below 3 % of ordinary traffic
 * reaches review.
 */
import { bandsOf } from '../../../src/core/score/rules/band.ts';
import type { RuleSet } from './rule.ts';

export const default1: RuleSet = {
  id: 'default@1',
  featureSchema: 1,
  rules: [
    {
      rule: 'amount-over-limit',
      bounds: {},
      bands: bandsOf([1, 0.15], [5, 0.3], [20, 0.45]),
    },
    {
      rule: 'amount-over-habit',
      bounds: { amounts: 5, toMedian: 2, zscore: 1 },
      bands: bandsOf([1.2, 0.02], [1.5, 0.2], [2, 0.5], [3, 0.75], [6, 0.9]),
    },
    {
      rule: 'amount-over-merchant',
      bounds: { amounts: 20, toMedian: 2 },
      bands: bandsOf([3, 0.02], [4, 0.15], [6, 0.4], [15, 0.6]),
    },
    {
      rule: 'velocity-count-1h',
      bounds: { timesUsual: 5 },
      bands: bandsOf([4, 0.1], [6, 0.4], [10, 0.6], [25, 0.8]),
    },
    {
      rule: 'velocity-count-24h',
      bounds: { timesUsual: 4, spanDays: 3 },
      bands: bandsOf([6, 0.05], [10, 0.25], [20, 0.45], [60, 0.6]),
    },
    {
      rule: 'velocity-sum-24h',
      bounds: { count: 1, amounts: 10 },
      bands: bandsOf([6, 0.05], [10, 0.25], [25, 0.5]),
    },
    {
      rule: 'new-merchant',
      bounds: { siblings: 15 },
      bands: bandsOf([2.5, 0.03], [4, 0.1], [8, 0.2]),
    },
    {
      rule: 'new-corridor',
      bounds: {},
      bands: bandsOf([5, 0.05], [20, 0.15]),
    },
    {
      rule: 'new-country',
      bounds: {},
      bands: bandsOf([5, 0.1], [20, 0.3]),
    },
    {
      rule: 'new-device',
      bounds: {},
      bands: bandsOf([5, 0.08], [20, 0.2]),
    },
    {
      rule: 'dormant-account',
      bounds: { siblings: 3, timesPause: 6, toMedian: 1 },
      bands: bandsOf([30, 0.1], [90, 0.3], [150, 0.4]),
    },
    {
      rule: 'structuring',
      bounds: { nearLimit: 0.8 },
      bands: bandsOf([2, 0.35], [3, 0.6], [5, 0.85]),
    },
    {
      rule: 'burst-across-merchants',
      bounds: { timesUsual: 5 },
      bands: bandsOf([4, 0.15], [6, 0.4], [10, 0.6]),
    },
    {
      rule: 'night-high-amount',
      bounds: { amounts: 10, nightShare: 0.05 },
      bands: bandsOf([2.5, 0.05], [4, 0.2], [8, 0.3]),
    },
    {
      rule: 'impossible-travel',
      bounds: { journeyHours: 3 },
      bands: bandsOf([0.5, 0.25], [2, 0.5]),
    },
    {
      rule: 'merchant-burst',
      bounds: { count: 10, month: 100 },
      bands: bandsOf([10, 0.1], [30, 0.3]),
    },
    {
      rule: 'merchant-fan-in',
      bounds: { timesUsual: 10 },
      bands: bandsOf([8, 0.15], [15, 0.4], [40, 0.6]),
    },
  ],
  verdicts: { review: 500, decline: 800 },
};
