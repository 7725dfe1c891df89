/**
 * Goal: a stored vector is read to the bit by whatever verifies, explains or labels, and people read its numbers; a vector of the
 * schema before, too.
 * Method: scores of two months with the numbers that lose bits most easily, stored and read by the engine's own statements.
 */
import { expect, test } from 'vitest';
import { padded } from '../../src/core/domain/feature-rows.ts';
import { FEATURE_COUNT, FEATURE_COUNT_MIN } from '../../src/core/domain/feature-schema.ts';
import { currentRuleSet } from '../../src/core/score/rules/rule-sets.ts';
import { score } from '../../src/core/score/score.ts';
import { findLoggedFeature } from '../../src/core/store/labels/labelled-transactions.ts';
import { ensurePartitions } from '../../src/core/store/partitions/partitions.ts';
import { readScoreRecord } from '../../src/core/store/scores/read-scores.ts';
import { monthOf } from '../../src/kit/words/month.ts';
import { openTestDatabase } from '../support/database.ts';
import { insertPlainScores, type PlainScore } from '../support/delivered.ts';
import { runRisk } from '../support/run-risk.ts';
import { idAt } from '../support/stored-rows.ts';

const MONTHS = [Date.UTC(2026, 0, 31, 23), Date.UTC(2026, 1, 1)];
const PER_MONTH = 20;
/** Quiet and signalling NaNs, -0, 0, subnormal numbers, the least normal one, the greatest, infinities. */
const AWKWARD = [
  0x7ff8000000000000n,
  0x7ff0000000000001n,
  0xfff8000000000abcn,
  0x8000000000000000n,
  0n,
  1n,
  0x800fffffffffffffn,
  0x0010000000000000n,
  0x7fefffffffffffffn,
  0x7ff0000000000000n,
  0xfff0000000000000n,
];

const scores = MONTHS.flatMap((fromMs, month) =>
  Array.from({ length: PER_MONTH }, (_, index) => makeScore(fromMs + index, 100 * month + index)),
);

function makeScore(createdAtMs: number, n: number): PlainScore {
  const length = n < 100 ? FEATURE_COUNT_MIN : FEATURE_COUNT;
  const features = Float64Array.from({ length }, (_, at) => ((n + at) % 97) / 3);
  const bits = new BigUint64Array(features.buffer);
  for (const [at, value] of AWKWARD.entries()) bits[(at * 7 + n) % length] = value;
  return {
    ...{ transactionId: idAt(createdAtMs), createdAtMs, accountId: 'acc_1', corridor: 'US-EG' },
    decision: score({ vector: features, ruleSet: currentRuleSet, opinion: null }),
    ...{ features, model: null, attempts: 1, degradation: 0, ruleSet: currentRuleSet.id },
  };
}

const bitsOf = (vector: Float64Array) => [...new BigUint64Array(vector.slice().buffer)];

const { testDatabase, database } = await openTestDatabase();
await ensurePartitions(database, MONTHS.map(monthOf));
await insertPlainScores(database, scores, 0);
await testDatabase.sql(
  `alter table scores disable trigger user;
   update scores set feature_schema = 3 where get_byte(features, 0) = ${FEATURE_COUNT_MIN}`,
);

test('they verify', async () => {
  const { code, stdout } = await runRisk(['verify', 'scores', '--sample', '100000'], {
    DATABASE_URL: testDatabase.url,
  });
  const count = scores.length;
  expect([code, stdout]).toEqual([0, `verified=${count} different=0 available=${count}\n`]);
});

test('they explain, and give a label the feature that is kept with it', async () => {
  for (const { transactionId, createdAtMs, features } of scores.slice(
    PER_MONTH - 3,
    PER_MONTH + 3,
  )) {
    const record = await readScoreRecord(database, transactionId, createdAtMs);
    expect(bitsOf(record?.features ?? new Float64Array(0))).toEqual(
      bitsOf(padded(Float64Array.from(features))),
    );
  }
  const ids = scores.map(({ transactionId }) => transactionId);
  for (const index of [0, 7, FEATURE_COUNT_MIN - 1, FEATURE_COUNT - 1]) {
    const values = scores.flatMap(({ transactionId, features: { [index]: value = Number.NaN } }) =>
      Number.isNaN(value) ? [] : ([[transactionId, value]] as const),
    );
    expect(await findLoggedFeature(database.query, ids, index)).toEqual(new Map(values));
  }
});
