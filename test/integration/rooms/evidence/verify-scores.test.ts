/**
 * Goal: `risk verify scores` finds what was changed and nothing else, and samples evenly. Method: scores
 * stored as a worker stores them, over several months; then one bit of one feature is turned.
 */
import { expect, test } from 'vitest';
import { FEATURE_COUNT, featureIndex } from '../../../../src/core/domain/feature-schema.ts';
import { currentRuleSet } from '../../../../src/core/score/rules/rule-sets.ts';
import { score } from '../../../../src/core/score/score.ts';
import { ensurePartitions } from '../../../../src/core/store/partitions/partitions.ts';
import type { CommandContext } from '../../../../src/kit/command/command.ts';
import { createOutput } from '../../../../src/kit/command/output.ts';
import { readConfig } from '../../../../src/kit/config/config.ts';
import { createLog } from '../../../../src/kit/metrics/log.ts';
import { monthOf } from '../../../../src/kit/words/month.ts';
import { sampleScores } from '../../../../src/rooms/evidence/store/score-sample.ts';
import { createCommand } from '../../../../src/rooms/evidence/verify-command.ts';
import { openModels } from '../../../../src/rooms/models/open-models.ts';
import { createTestDatabase } from '../../../support/database.ts';
import { insertPlainScores, type PlainScore } from '../../../support/delivered.ts';
import { openForFile } from '../../../support/open-for-file.ts';
import { idAt } from '../../../support/stored-rows.ts';

const PER_MONTH = [1500, 300, 2200];
const AVAILABLE = 4000;
const MONTHS = [Date.UTC(2026, 0, 31, 23), Date.UTC(2026, 3, 1), Date.UTC(2026, 4, 15)];

const testDatabase = await openForFile(createTestDatabase());
const database = await openForFile(testDatabase.open());
await ensurePartitions(database, MONTHS.map(monthOf));
const stored = PER_MONTH.flatMap((count, month) =>
  Array.from({ length: count }, (_, index) => makeScore((MONTHS[month] ?? 0) + index, index)),
);
await insertPlainScores(database, stored, Date.UTC(2026, 5, 1));

/** Vectors with awkward numbers: thirds, missing values, the least and the greatest. */
function makeScore(createdAtMs: number, index: number): PlainScore {
  const features = Float64Array.from({ length: FEATURE_COUNT }, (_, feature) => {
    const kind = (index * 31 + feature * 7) % 11;
    if (kind === 0) return Number.NaN;
    if (kind === 1) return 5e-324;
    return (((index + 1) * (feature + 3)) % 97) / 3;
  });
  return {
    transactionId: idAt(createdAtMs),
    createdAtMs,
    accountId: `acc_${index % 7}`,
    corridor: 'US-EG',
    decision: score({ vector: features, ruleSet: currentRuleSet, opinion: null }),
    features,
    ...{ model: null, attempts: 1, degradation: 0, ruleSet: currentRuleSet.id },
  };
}

async function verify(args: string[]): Promise<{ code: number; lines: string[] }> {
  const settings = readConfig({ DATABASE_URL: testDatabase.url });
  if (!('config' in settings)) throw new Error('the configuration is bad');
  const lines: string[] = [];
  const stdout = { write: (text: string) => lines.push(...text.trimEnd().split('\n')) };
  const context: CommandContext = {
    config: settings.config,
    environment: {},
    output: createOutput({ json: args.includes('--json'), stdout, stderr: stdout }),
    log: createLog('test', 'silent'),
    signal: new AbortController().signal,
  };
  return { code: await createCommand(openModels).run(args, context), lines };
}

test('samples every month in proportion, the same rows each time', async () => {
  const sample = async () => {
    const ids: string[] = [];
    const months = [0, 0, 0];
    const { signal } = new AbortController();
    await sampleScores(database, {
      sample: 400,
      signal,
      async onPage(scores) {
        for (const { transactionId, createdAtMs } of scores) {
          ids.push(transactionId);
          const month = MONTHS.findLastIndex((fromMs) => createdAtMs >= fromMs);
          months[month] = (months[month] ?? 0) + 1;
        }
      },
    });
    return { ids: ids.sort(), months };
  };
  const first = await sample();
  expect(first.months).toEqual([150, 30, 220]);
  expect(new Set(first.ids).size).toBe(400);
  expect(await sample()).toEqual(first);
});

test('finds one turned bit of one feature that matters', async () => {
  const vector = makeScore(0, 0).features.fill(Number.NaN);
  vector[featureIndex('country_change_hours')] = 1.75;
  const whole: PlainScore = {
    ...makeScore(MONTHS[1] ?? 0, 1),
    features: vector,
    decision: score({ vector, ruleSet: currentRuleSet, opinion: null }),
  };
  const turned = { ...whole, transactionId: idAt(whole.createdAtMs), features: vector.slice() };
  const bits = new BigUint64Array(turned.features.buffer);
  const index = featureIndex('country_change_hours');
  bits[index] = (bits[index] ?? 0n) ^ (1n << 10n);

  await insertPlainScores(database, [whole], 0);
  expect((await verify(['scores', '--sample', '5000'])).code).toBe(0);
  await insertPlainScores(database, [turned], 0);
  expect(await verify(['scores', '--sample', '5000'])).toEqual({
    code: 1,
    lines: [
      `differs ${turned.transactionId}: risk`,
      `verified=${AVAILABLE + 2} different=1 available=${AVAILABLE + 2}`,
    ],
  });
  const json = await verify(['scores', '--sample', '5000', '--json']);
  expect(JSON.parse(json.lines.join(''))).toMatchObject({
    verified: AVAILABLE + 2,
    different: 1,
    differing: [{ transaction_id: turned.transactionId, fields: ['risk'] }],
  });
});
