/**
 * Goal: other bands of 20 million rows are answered within 2 s. Method: random rows of 90 days and six corridors are folded here, and
 * stored as the counts of a backtest; the API is asked.
 */
import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { compileOwn } from '../../../../src/core/score/rules/compile-rule-set.ts';
import type { RuleSetData } from '../../../../src/core/score/rules/rule-set-data.ts';
import { createRandom } from '../../../../src/kit/random.ts';
import type { BandsJson } from '../../../../src/rooms/backtest/count/bands.ts';
import { type Days, noCounts } from '../../../../src/rooms/backtest/count/counts.ts';
import { createFold, type Row } from '../../../../src/rooms/backtest/count/fold-rows.ts';
import { endBacktest, storeCounts } from '../../../../src/rooms/backtest/store/backtests.ts';
import { daysText } from '../../../../src/rooms/backtest/store/days.ts';
import { openForFile } from '../../../support/open-for-file.ts';
import { startRunningApi } from '../../../support/running-api.ts';
import { answerOf } from '../../../support/submit.ts';
import { makeVector } from '../../../unit/core/score/vector.ts';

const ROWS = 20_000_000;
const DAYS = 90;
const DAY_MS = 86_400_000;
const ANSWER_MS_MAX = 2000;
const CORRIDORS = ['US-EG', 'US-MX', 'US-PH', 'GB-IN', 'DE-TR', 'FR-MA'];

/** Points of every height. */
const source: RuleSetData = {
  version: 2,
  id: 'many@1',
  feature_schema: 3,
  rules: [
    {
      ...{ id: 'a', sentence: 'A.', code: 'A', measure: 'count_1h' },
      bands: [
        { from: 0, weight: 0 },
        { from: 1, weight: 1 },
      ],
    },
  ],
  verdicts: { all: { review: 500, decline: 800 } },
};

const api = await openForFile(startRunningApi());

test('an answer takes less than 2 s', { timeout: 180_000 }, async () => {
  const random = createRandom('20');
  const rows = Array.from({ length: 5000 }, (_, at): Row => {
    const corridor = CORRIDORS[at % CORRIDORS.length] ?? '';
    return {
      ...{ id: 'row', createdAtMs: 0, corridor, currency: 'USD', amount: '1.00' },
      ...{ vector: makeVector({ count_1h: random() ** 2 }), ruleInputs: null },
      label: random() < 0.01 ? 'fraud' : random() < 0.3 ? 'legitimate' : null,
    };
  });
  const [ruleSet, days]: [ReturnType<typeof compileOwn>, Days] = [compileOwn(source), new Map()];
  const fold = createFold(noCounts(), [() => ruleSet, () => ruleSet], days);
  for (let at = 0; at < ROWS; at++) {
    const createdAtMs = Math.floor((at / ROWS) * DAYS) * DAY_MS;
    fold({ ...(rows[at % rows.length] as Row), createdAtMs }, [null, null]);
  }
  const asked = await api.post('/v1/backtests', { from: '1970-01-01', to: '1970-04-01', source });
  const id: string = (await answerOf(asked)).body.backtest_id;
  const text = daysText(days);
  await storeCounts(api.database.query, id, randomUUID(), '', ROWS, text);
  await endBacktest(api.database.query, id, ROWS, JSON.stringify({ rows: ROWS }), '');
  const path = `/v1/backtests/${id}/bands?review=123&decline=456`;
  const times: number[] = [];
  for (let round = 0; round < 10; round++) {
    const beganMs = performance.now();
    const { body } = await answerOf(await api.request(path));
    times.push(performance.now() - beganMs);
    const { after, corridors } = body as BandsJson;
    const sum = after.confusion.reduce(
      (all, one) => all + one.fraud + one.legitimate + one.unlabelled,
      0,
    );
    expect([sum, corridors.length]).toEqual([ROWS, CORRIDORS.length]);
  }
  expect(Math.max(...times), `${text.length} bytes; ${times} ms`).toBeLessThan(ANSWER_MS_MAX);
});
