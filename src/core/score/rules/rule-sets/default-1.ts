/**
 * default@1, the rule set a new installation starts with. Values are ratios to the account's or the merchant's
 * own history, never sums of money, so they hold in any currency. Weights and bounds were chosen on labelled
 * card payments (weeks before the evaluated ones) and on simulated scenarios; below 3 % of ordinary traffic
 * reaches review.
 */
import type { RuleSet } from '../rule.ts';

export const default1: RuleSet = {
  id: 'default@1',
  featureSchema: 1,
  rules: [
    {
      rule: 'amount-over-limit',
      bounds: {},
      bands: [
        { from: 1, weight: 0.15 },
        { from: 5, weight: 0.3 },
        { from: 20, weight: 0.45 },
      ],
    },
    {
      rule: 'amount-over-habit',
      bounds: { amounts: 5, toMedian: 2, zscore: 1 },
      bands: [
        { from: 1.2, weight: 0.02 },
        { from: 1.5, weight: 0.2 },
        { from: 2, weight: 0.5 },
        { from: 3, weight: 0.75 },
        { from: 6, weight: 0.9 },
      ],
    },
    {
      rule: 'amount-over-merchant',
      bounds: { amounts: 20, toMedian: 2 },
      bands: [
        { from: 3, weight: 0.02 },
        { from: 4, weight: 0.15 },
        { from: 6, weight: 0.4 },
        { from: 15, weight: 0.6 },
      ],
    },
    {
      rule: 'velocity-count-1h',
      bounds: { timesUsual: 5 },
      bands: [
        { from: 4, weight: 0.1 },
        { from: 6, weight: 0.4 },
        { from: 10, weight: 0.6 },
        { from: 25, weight: 0.8 },
      ],
    },
    {
      rule: 'velocity-count-24h',
      bounds: { timesUsual: 4, spanDays: 3 },
      bands: [
        { from: 6, weight: 0.05 },
        { from: 10, weight: 0.25 },
        { from: 20, weight: 0.45 },
        { from: 60, weight: 0.6 },
      ],
    },
    {
      rule: 'velocity-sum-24h',
      bounds: { count: 1, amounts: 10 },
      bands: [
        { from: 6, weight: 0.05 },
        { from: 10, weight: 0.25 },
        { from: 25, weight: 0.5 },
      ],
    },
    {
      rule: 'new-merchant',
      bounds: { siblings: 15 },
      bands: [
        { from: 2.5, weight: 0.03 },
        { from: 4, weight: 0.1 },
        { from: 8, weight: 0.2 },
      ],
    },
    {
      rule: 'new-corridor',
      bounds: {},
      bands: [
        { from: 5, weight: 0.05 },
        { from: 20, weight: 0.15 },
      ],
    },
    {
      rule: 'new-country',
      bounds: {},
      bands: [
        { from: 5, weight: 0.1 },
        { from: 20, weight: 0.3 },
      ],
    },
    {
      rule: 'new-device',
      bounds: {},
      bands: [
        { from: 5, weight: 0.08 },
        { from: 20, weight: 0.2 },
      ],
    },
    {
      rule: 'dormant-account',
      bounds: { siblings: 3, timesPause: 6, toMedian: 1 },
      bands: [
        { from: 30, weight: 0.1 },
        { from: 90, weight: 0.3 },
        { from: 150, weight: 0.4 },
      ],
    },
    {
      rule: 'structuring',
      bounds: { nearLimit: 0.8 },
      bands: [
        { from: 2, weight: 0.35 },
        { from: 3, weight: 0.6 },
        { from: 5, weight: 0.85 },
      ],
    },
    {
      rule: 'burst-across-merchants',
      bounds: { timesUsual: 5 },
      bands: [
        { from: 4, weight: 0.15 },
        { from: 6, weight: 0.4 },
        { from: 10, weight: 0.6 },
      ],
    },
    {
      rule: 'night-high-amount',
      bounds: { amounts: 10, nightShare: 0.05 },
      bands: [
        { from: 2.5, weight: 0.05 },
        { from: 4, weight: 0.2 },
        { from: 8, weight: 0.3 },
      ],
    },
    {
      rule: 'impossible-travel',
      bounds: { journeyHours: 3 },
      bands: [
        { from: 0.5, weight: 0.25 },
        { from: 2, weight: 0.5 },
      ],
    },
    {
      rule: 'merchant-burst',
      bounds: { count: 10, month: 100 },
      bands: [
        { from: 10, weight: 0.1 },
        { from: 30, weight: 0.3 },
      ],
    },
    {
      rule: 'merchant-fan-in',
      bounds: { timesUsual: 10 },
      bands: [
        { from: 8, weight: 0.15 },
        { from: 15, weight: 0.4 },
        { from: 40, weight: 0.6 },
      ],
    },
  ],
  verdicts: { review: 500, decline: 800 },
};
