/** Goal: a policy decides by the table of a payment alone, and says nothing where that table may not decide. Method: made tables. */
import { expect, test } from 'vitest';
import { FEATURE_COUNT } from '../../../../../src/core/domain/feature-schema.ts';
import { REASON_CODES } from '../../../../../src/core/score/reason-codes.ts';
import { currentRuleSet } from '../../../../../src/core/score/rules/rule-sets.ts';
import { score } from '../../../../../src/core/score/score.ts';
import type { DayTable } from '../../../../../src/core/score/scorecard/day-table.ts';
import { explainMargin } from '../../../../../src/core/score/scorecard/explain-margin.ts';
import { judgedVector } from '../../../../../src/core/score/scorecard/judge-by-table.ts';
import { opinionBy } from '../../../../../src/core/score/scorecard/policy.ts';
import { logistic } from '../../../../../src/kit/elementary-functions.ts';
import { createRandom } from '../../../../../src/kit/random.ts';
import { DAY_MS } from '../../../../../src/kit/words/range.ts';
import {
  DECLINE_FROM,
  learntTable,
  policyValue,
  REVIEW_FROM,
} from '../../../../support/policies.ts';

const DAY = 20_000;
const random = createRandom('policy');
const vector = Float64Array.from({ length: FEATURE_COUNT }, () => 100 * random());
const whole = learntTable('policy', { day: DAY });
const { learnt, scorecard } = whole.table;

function opinionAt(daysLater: number, more: Partial<DayTable> = {}, leftOut: string[] = []) {
  const atMs = (DAY + daysLater + 1) * DAY_MS - 1;
  const judged = judgedVector(vector, learntTable('policy', { day: DAY, ...more }), atMs);
  return opinionBy(policyValue({ measures_left_out: leftOut }), judged);
}

test('the probability is that of the margin, and the bands are those of the shares', () => {
  const { margin } = judgedVector(vector, whole, DAY * DAY_MS);
  const bands = { reviewFrom: REVIEW_FROM, declineFrom: DECLINE_FROM, isOfProbability: true };
  expect(opinionAt(0)).toMatchObject({ probability: logistic(margin()), bands });
});

test('the reasons are the four measures with most points, as the explanation has them', () => {
  const opinion = opinionAt(0);
  const { points } = explainMargin(whole, vector, DAY * DAY_MS);
  const most = points.toSorted((a, b) => b.points - a.points).slice(0, 4);
  expect(opinion?.factors()).toMatchObject(
    most.map(({ measure, points, value, detail }) => ({
      ...{ feature: measure, contribution: points, value, sentence: `Model: ${detail}` },
    })),
  );
  const { reasons, verdict } = score({ vector, ruleSet: currentRuleSet, opinion });
  const ofModel = reasons.filter(({ code }) => code.startsWith('MODEL_'));
  expect([verdict, ofModel.length]).toEqual(['review', 4]);
  const known = REASON_CODES.map(({ code }) => code);
  expect(known).toEqual(expect.arrayContaining(ofModel.map(({ code }) => code)));
});

test('a table decides for seven days after its own, and then the rules do', () => {
  expect(opinionAt(7)).not.toBeNull();
  expect(opinionAt(8)).toBeNull();
});

test.each<[string, Partial<DayTable>, string[]]>([
  ['has not learnt of fifty frauds', { learnt: { ...learnt, knownFrauds: 49 } }, []],
  [
    'has too few scores',
    { tops: { scorecard: new Float64Array(), rules: new Map(), models: new Map() } },
    [],
  ],
  ['gives no number', { scorecard: { ...scorecard, constant: Number.NaN } }, []],
  ['leaves out a measure that the policy weighs', { leftOut: ['hour'] }, []],
  ['weighs a measure that the policy leaves out', {}, ['hour']],
  ['leaves out another measure', { leftOut: ['hour'] }, ['amount']],
])('a policy says nothing by a table that %s', (_, more, leftOut) => {
  expect(opinionAt(0, more, leftOut)).toBeNull();
});

test('a policy says nothing without a table', () => {
  expect(opinionBy(policyValue(), judgedVector(vector, null, 0))).toBeNull();
});

test('measures are left out in any order', () => {
  expect(opinionAt(0, { leftOut: ['hour', 'amount'] }, ['amount', 'hour'])).not.toBeNull();
});
