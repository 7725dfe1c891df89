/**
 * Goal: a search that has looked at as many rows as a request may says how far it got, and goes on; filters can be saved, folded
 * and cleared. Method: an engine with a sample, more transactions than a request looks at in front of the only match, and Chromium.
 */
import { beforeAll, expect, test } from 'vitest';
import { LOOKED_AT_MAX } from '../../src/core/store/search/search-rows.ts';
import { DAY_MS } from '../../src/kit/words/range.ts';
import { idAt, storeDeadLetters, storeTransactions } from '../support/stored-rows.ts';
import { inspect, shoot, violationsOf } from './support/pages.ts';
import { setUpConsole } from './support/set-up.ts';

/** More rows than a page looks at. */
const ROWS = LOOKED_AT_MAX + 1000;
/** Before the sample. */
const DAY = Math.floor(Date.now() / DAY_MS) * DAY_MS - 60 * DAY_MS;
const at = (ms: number) => new Date(ms).toISOString();
const WINDOW = `from=${at(DAY - DAY_MS)}&to=${at(DAY + 2 * DAY_MS)}`;

const shown = setUpConsole();
const { logIn, open } = shown;
beforeAll(async () => {
  const { database, testDatabase } = shown.engine.api;
  const [old] = await storeTransactions(database, [
    { createdAtMs: DAY, accountId: 'acc_lost', merchantId: 'm_lost' },
  ]);
  await storeDeadLetters(database, [
    { id: idAt(DAY, 7), transactionId: old ?? null, failedAtMs: DAY },
  ]);
  await testDatabase.sql(
    `insert into transactions (client, transaction_id, created_at, received_at, account_id, merchant_id, corridor, amount, currency)
     select 'default', (lpad(to_hex(at), 12, '0') || '70008000' || lpad(to_hex(n), 12, '0'))::uuid, to_timestamp(at / 1000.0), now(),
            'acc_many', 'm_many', 'US-EG', 1, 'USD'
       from generate_series(1, $2::int) n, lateral (select $1::bigint + 1000 + n as at) times`,
    [DAY, ROWS],
  );
  await testDatabase.sql(`update transactions set amount = 900 where account_id = 'acc_lost'`);
});

test('a search says how far it got, and goes on until it finds the match', async () => {
  await using page = await logIn();
  await open(page, `/transactions?${WINDOW}&label=none&currency=USD&min_amount=900`);
  await page.getByText('No transaction matches so far').waitFor();
  const status = page.getByRole('status').filter({ hasText: 'Searched back to' });
  const reached = async () => await status.locator('time').getAttribute('datetime');
  const before = await reached();
  expect(Date.parse(before ?? '')).toBeGreaterThan(DAY);
  expect(await inspect(page, 'searched-back-1280-light')).toEqual([]);
  const goOn = page.getByRole('button', { name: 'Go on' });
  while ((await goOn.count()) > 0) {
    await goOn.click();
    await expect.poll(() => page.getByText('Searching …').count(), { timeout: 60_000 }).toBe(0);
  }
  await page.getByRole('link', { name: 'acc_lost' }).waitFor();
  expect(await goOn.count()).toBe(0);
  expect(await status.count()).toBe(0);
});

test('filters are saved under a name, chosen again, and forgotten', async () => {
  await using page = await logIn();
  await open(page, '/transactions?verdict=decline&sort=score');
  await page.getByRole('button', { name: 'Save filters' }).click();
  await page.getByLabel('Name of these filters').fill('Declined, riskiest first');
  expect(await violationsOf(page)).toEqual([]);
  await page.keyboard.press('Enter');
  await open(page, '/transactions');
  const saved = page.getByLabel('Saved filters');
  await saved.selectOption('Declined, riskiest first');
  await page.waitForURL(/sort=score&verdict=decline|verdict=decline&sort=score/);
  expect(await page.getByLabel('Verdict', { exact: true }).inputValue()).toBe('decline');
  await shoot(page, 'saved-filters-1280-light');
  await page.getByRole('button', { name: 'Forget it' }).click();
  await page.getByRole('button', { name: 'Save filters' }).waitFor();
  expect(await saved.count()).toBe(0);
  await page.getByRole('button', { name: 'Clear' }).click();
  await page.waitForURL((url) => !url.search.includes('verdict'));
});
