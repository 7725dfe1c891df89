/** Goal: a figure that the published evaluator does not give as well is a breach. */
import { expect, test } from 'vitest';
import { disagreements } from '../../../bench/detection/agreement.ts';

const figureOf = (value: number) => ({ value, low: value - 0.1, high: value + 0.1 });
const figures = {
  auc: figureOf(0.8704),
  average_precision: figureOf(0.6667),
  card_precision_100: figureOf(0.2914),
  average_precision_all: figureOf(0.7431),
  recall_at_1_percent_all: figureOf(0.7658),
};
const block = { auc: 0.87044, ap: 0.66671, cp: 0.2914 };
const whole = { ap: 0.7431, recallAtFpr1: 0.7658 };

test('disagreements is empty when all figures are the same to the third digit', () => {
  expect(disagreements(figures, { blocks: [block], whole })).toEqual([]);
});

test.each([
  ['auc', { blocks: [{ ...block, auc: 0.8711 }], whole }],
  ['average_precision', { blocks: [{ auc: block.auc, cp: block.cp }], whole }],
  ['card_precision_100', { blocks: [{ ...block, cp: 0.2928 }], whole }],
  ['average_precision_all', { blocks: [block], whole: { ...whole, ap: 0.7445 } }],
  ['recall_at_1_percent_all', { blocks: [block], whole: { ...whole, recallAtFpr1: 'NaN' } }],
])('disagreements names %s where it differs or is missing', (name, published) => {
  expect(disagreements(figures, published)).toEqual([expect.stringMatching(`^${name} is `)]);
});
