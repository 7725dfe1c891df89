/**
 * Goal: the version that decided gives in a backtest what workers stored. Method: an API and a worker take transactions and
 * labels, the worker runs the backtest, and SQL counts stored verdicts and scores.
 */
import { expect, test } from 'vitest';
import { createRandom } from '../../../../src/kit/random.ts';
import type { Report } from '../../../../src/rooms/backtest/count/report.ts';
import { startRunningApi } from '../../../support/running-api.ts';
import {
  answerOf,
  count,
  type Input,
  input,
  postBatch,
  postLabels,
} from '../../../support/submit.ts';
import { waitUntil } from '../../../support/wait-until.ts';

const ROWS = 2000;
const BATCH = 500;
const DEADLINE_MS = 30_000;
const HOUR_MS = 3_600_000;

function makeInputs(): Input[] {
  const random = createRandom('scored');
  const firstMs = Date.now() - 24 * HOUR_MS;
  return Array.from({ length: ROWS }, (_, at) =>
    input({
      account_id: `acc_${Math.floor(random() ** 2 * 60)}`,
      merchant_id: `m_${Math.floor(random() * 20)}`,
      amount: (10 + random() ** 8 * 5000).toFixed(2),
      device_id: `d_${Math.floor(random() * 300)}`,
      country: random() < 0.95 ? 'US' : 'EG',
      created_at: new Date(firstMs + at * 2000).toISOString(),
    }),
  );
}

test('verdicts and scores of a backtest are those that are stored', async () => {
  await using api = await startRunningApi();
  await using _worker = api.startWorker();
  const inputs = makeInputs();
  const ids: string[] = [];
  for (let at = 0; at < ROWS; at += BATCH) {
    const { body } = await postBatch(api, inputs.slice(at, at + BATCH));
    ids.push(...body.results.map((one: { transaction_id: string }) => one.transaction_id));
  }
  await waitUntil(async () => (await count(api, 'scores')) === ROWS, DEADLINE_MS, 'all scores');
  const labels = ids.flatMap((transaction_id, at) => {
    if (at % 4 > 0) return [];
    const label = at % 12 === 0 ? 'fraud' : 'legitimate';
    const labelled_at = new Date().toISOString();
    return { transaction_id, label, labelled_at, source: 'chargeback' };
  });
  expect((await postLabels(api, labels)).status).toBeLessThan(300);
  // Scores and labels of the last minute do not count.
  await api.testDatabase.sql(`update scores set scored_at = scored_at - interval '10 minutes'`);
  await api.testDatabase.sql(`update labels set received_at = received_at - interval '4 minutes'`);
  const question = {
    from: new Date(Date.now() - 48 * HOUR_MS).toISOString(),
    to: new Date().toISOString(),
    rule_set: 'default@4',
  };
  const asked = await answerOf(await api.post('/v1/backtests', question));
  expect(asked).toMatchObject({ status: 202 });
  const done = await waitUntil(
    async () => {
      const { body } = await answerOf(await api.request(`/v1/backtests/${asked.body.backtest_id}`));
      return body.state === 'done' && body;
    },
    DEADLINE_MS,
    'the backtest',
  );
  const { subject, curve, rules, left_out, rows } = done.report as Report;
  expect([rows, left_out]).toEqual([ROWS, []]);
  const stored = await api.testDatabase.sql<{ verdict: string; label: string; rows: number }>(
    `select verdict, coalesce(label, 'unlabelled') as label, count(*)::int as rows
       from scores left join labels using (transaction_id, created_at) group by 1, 2`,
  );
  const confusion = subject.confusion.flatMap(({ verdict, ...byLabel }) =>
    Object.entries(byLabel).flatMap(([label, counted]) =>
      counted === 0 ? [] : { verdict, label, rows: counted },
    ),
  );
  const inOrder = (all: readonly object[]) => all.map((one) => JSON.stringify(one)).toSorted();
  expect(inOrder(confusion)).toEqual(inOrder(stored));
  expect(new Set(stored.map(({ verdict }) => verdict))).toEqual(
    new Set(['approve', 'review', 'decline']),
  );
  for (const threshold of [100, 500, 800]) {
    const point = curve.find((one) => one.threshold >= threshold);
    expect(point?.frauds_caught).toBe(
      await count(
        api,
        `scores s join labels l using (transaction_id) where score >= ${threshold} and label = 'fraud'`,
      ),
    );
  }
  const hits = await api.testDatabase.sql<{ code: string; rows: number }>(
    `select reason ->> 'code' as code, count(*)::int as rows
       from scores, jsonb_array_elements(reasons) reason group by 1`,
  );
  expect(hits.length).toBeGreaterThan(2);
  for (const { code, rows: fired } of hits) {
    // A reason without a whole point is left out of a score.
    expect(rules.find((rule) => rule.code === code)?.hits).toBeGreaterThanOrEqual(fired);
  }
});
