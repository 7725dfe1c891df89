/**
 * Goal: a corridor is judged more strictly for a time, in the currency of each payment, and its scores verify. Method: an API and a
 * worker on one pair of stores.
 */
import { expect, test } from 'vitest';
import { insertPersonKey } from '../../../support/people.ts';
import { endControl, putControl } from '../../../support/rooms/corridors/requests.ts';
import { runRisk } from '../../../support/run-risk.ts';
import { startRunningApi } from '../../../support/running-api.ts';
import { answerOf, input, postOne } from '../../../support/submit.ts';
import { waitUntil } from '../../../support/wait-until.ts';
import { startWorkerHere } from '../../../support/worker-rig.ts';

test('a corridor is judged more strictly for a time, and another one as before', async () => {
  await using api = await startRunningApi();
  const cy = await insertPersonKey(api.testDatabase, 'Cyd', ['operator']);
  const ends_at = new Date(Date.now() + 3_600_000).toISOString();
  const tighten = (corridor: string, more: object) =>
    putControl(api, 'tighten', `corridor:${corridor}`, { ends_at, ...more }, cy);
  const review = (corridor: string, from_amount: string) =>
    putControl(api, 'manual', `corridor:${corridor}`, { ends_at, from_amount }, cy);
  const late = new Date(Date.now() + 8 * 86_400_000).toISOString();
  const tooLong = await tighten('US-EG', { points: 250, ends_at: late });
  expect([tooLong.status, tooLong.body.errors[0].pointer]).toEqual([422, '/ends_at']);
  const tightened = await tighten('US-EG', { points: 250 });
  expect([tightened.status, tightened.body.control?.value]).toEqual([200, { points: 250 }]);
  await api.testDatabase.sql(
    `insert into exchange_rates (currency, day, usd) values ('MXN', '2020-01-01', 1), ('MXN', '2020-01-02', 0.05),
            ('MXN', current_date + 9, 2)`,
  );
  const manual = await review('US-MX', '125.50');
  expect(manual.body.control.value).toEqual({
    ...{ from_amount: 125.5, currency: 'USD', amounts: { USD: 125.5, MXN: 2510 } },
  });
  expect((await tighten('US-EG', { points: 50 })).body.detail).toContain(
    ':corridor:US-EG is at points 250 until',
  );
  await api.testDatabase.sql(
    `insert into review_policies (made_by, policy)
     select 'a test', policy || '{"currency": "EUR"}' from review_policies order by version desc limit 1`,
  );
  // A smaller amount is stricter in one currency, and may be weaker in another.
  expect((await review('US-MX', '1')).body.detail).toMatch(
    /^Manual:corridor:US-MX is at .*currency USD.* until \S+, and a change only makes it stricter/i,
  );
  expect((await endControl(api, 'tighten', 'corridor:US-EG', cy)).status).toBe(403);
  const { body: shown } = await answerOf(await api.request('/v1/corridors/US-EG'));
  expect(shown).toMatchObject({ state: 'open', controls: [{ value: { points: 250 } }] });
  const environment = { DATABASE_URL: api.testDatabase.url, REDIS_URL: api.redisService.url };
  await using _ = startWorkerHere(environment, {});
  const verdictOf = async (corridor: string, amount: string, currency = 'USD') => {
    const account_id = `acc_${corridor}_${amount}_${currency}`;
    const sent = input({ corridor, amount, currency, account_id });
    const { rule_set, verdict, reasons } = (await postOne(api, sent, { Prefer: 'wait=10' })).body
      .score;
    return [rule_set, verdict, reasons.at(-1)?.code];
  };
  expect(await verdictOf('US-EG', '50000.00')).toEqual([
    'default@4-tightened-250',
    'review',
    'AMOUNT_OVER_LIMIT',
  ]);
  expect(await verdictOf('US-IN', '50000.00')).toEqual([
    'default@4',
    'approve',
    'AMOUNT_OVER_LIMIT',
  ]);
  const byHand = (from: string) => [`default@4-manual-from-${from}`, 'review', 'MANUAL_REVIEW'];
  expect(await verdictOf('US-MX', '125.50')).toEqual(byHand('125.5-USD'));
  expect((await verdictOf('US-MX', '125.49'))[1]).toBe('approve');
  // As much by the newest rate, and any amount in a currency without one.
  expect(await verdictOf('US-MX', '2510.00', 'MXN')).toEqual(byHand('2510-MXN'));
  expect((await verdictOf('US-MX', '2509.99', 'MXN'))[1]).toBe('approve');
  expect(await verdictOf('US-MX', '0.01', 'EUR')).toEqual(byHand('0-EUR'));
  expect((await endControl(api, 'tighten', 'corridor:US-EG')).status).toBe(200);
  await api.testDatabase.sql("update controls set ends_at = now() where kind = 'manual'");
  for (const corridor of ['US-EG', 'US-MX']) {
    const isOver = async () => (await verdictOf(corridor, '50000.00'))[0] === 'default@4';
    await waitUntil(isOver, 5000, `${corridor} to be judged as before`);
  }
  const verified = await runRisk(['verify', 'scores', '--sample', '100'], environment);
  expect([verified.code, verified.stdout]).toEqual([0, expect.stringContaining('different=0')]);
});
