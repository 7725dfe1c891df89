/** Goal: summaries of a corridor that an API has yet to read are answered. Method: a figure stored beside a running API. */
import { expect, test } from 'vitest';
import { startRunningApi } from '../support/running-api.ts';

test('daily summaries of a corridor that this process has yet to read are not refused', async () => {
  await using api = await startRunningApi();
  await api.testDatabase.sql(
    `insert into daily_increments (day, corridor, currency, outcome, count, amount, score_sum)
     values ('2026-11-13', 'YY-YY', 'USD', 'accepted', 1, 1, 0)`,
  );
  const path = '/v1/summaries/daily?from=2026-11-13&to=2026-11-13&corridor=YY-YY';
  expect(await (await api.request(path)).json()).toMatchObject({ items: [{ transactions: 1 }] });
});
