/** Examples of why a score is what it is; real ones have every feature and every rule. */
import { score } from '../../../core/accept/examples.ts';
import type { EvaluationJson } from '../queries/evaluate.ts';
import type { ExplanationJson } from '../queries/explain-score.ts';
import type { HabitJson } from '../queries/habit.ts';
import type { WhatIfJson } from '../queries/what-if.ts';

const parts: EvaluationJson['explanation'] = {
  feature_schema: 2,
  features: [
    {
      name: 'count_1h',
      value: 13,
      unit: 'transactions',
      description: 'Siblings of the last hour.',
    },
    {
      name: 'country_change_hours',
      value: null,
      unit: 'hours',
      description: 'Time since the newest sibling with a country, if in another country.',
    },
  ],
  rules: [
    {
      id: 'velocity-count-1h',
      code: 'VELOCITY_COUNT_1H',
      summary: 'Many more transactions within an hour than this account usually makes.',
      fired: true,
      value: 14,
      band: 10,
      weight: 0.6533,
      detail: '14 transactions within an hour, usually 0.6',
    },
    {
      id: 'impossible-travel',
      code: 'IMPOSSIBLE_TRAVEL',
      summary: 'Another country sooner than anybody could have travelled there.',
      fired: false,
      value: null,
      band: null,
      weight: 0,
      detail: null,
    },
  ],
  model: {
    model: 'fraud@2026-11-20',
    method: 'path',
    base: -4.2,
    margin: -0.9,
    probability: 0.29,
    contributions: [
      {
        feature: 'count_1h',
        value: 13,
        contribution: 3.3,
        detail: 'Model: Siblings of the last hour: 13 transactions',
      },
    ],
  },
};

export const explanation: ExplanationJson = {
  score,
  ...parts,
  model: null,
  lineage: {
    rule_set: score.rule_set,
    model: null,
    attempts: 1,
    degradation: 0,
    created_at: score.created_at,
    scored_at: score.scored_at,
    vector_crc32: '5f0c2a91',
    differing: [],
  },
};

export const habit: HabitJson = {
  transaction_id: score.transaction_id,
  transactions: 24,
  from: '2026-11-02T07:12:41.000Z',
  features: [
    { name: 'count_1h', known: 24, median: 0, min: 0, max: 2 },
    { name: 'country_change_hours', known: 0, median: null, min: null, max: null },
  ],
};

export const evaluation: EvaluationJson = {
  account_id: 'acc_17',
  corridor: 'US-EG',
  created_at: '2026-11-20T09:30:00.000Z',
  score: 290,
  risk: 0.29,
  probability: 0.29,
  verdict: 'approve',
  reasons: [
    {
      code: 'MODEL_PROBABILITY',
      detail: 'The model sees fraud with a probability of 29.0 %',
      contribution: 290,
    },
  ],
  rule_set: 'default@2',
  model: 'fraud@2026-11-20',
  degradation: 0,
  explanation: parts,
};

const { risk, probability, reasons, rule_set } = score;

export const whatIf: WhatIfJson = {
  ...{ transaction_id: score.transaction_id, changed: ['amount', 'device_id'] },
  ...{ score: 0, risk: 0, probability: null, verdict: 'approve', reasons: [] },
  stored: { score: score.score, risk, probability, verdict: score.verdict, reasons },
  ...{ rule_set, model: score.model },
  features: [
    {
      name: 'amount',
      unit: 'currency units',
      description: 'Amount of the transaction.',
      stored: 125.5,
      value: 12.5,
    },
  ],
  known_later: [],
};
