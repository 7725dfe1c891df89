/**
 * Goal: a search that has looked at as many rows as a request may says how far it got, and goes on; filters can be saved, folded
 * and cleared. Method: an engine with a sample, more transactions than a request looks at in front of the only match, and Chromium.
 */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { JOINED_ROWS_EXAMINED_MAX } from '../../src/core/store/partitions/month-slice.ts';
import { SLICES_MAX } from '../../src/core/store/search/walk.ts';
import { DAY_MS } from '../../src/kit/words/utc-bucket.ts';
import { idAt, storeDeadLetters, storeTransactions } from '../support/stored-rows.ts';
import { answerOf } from '../support/submit.ts';
import { findChromium, launchChromium, MISSING } from './support/chromium.ts';
import { type Engine, startEngine } from './support/engine.ts';
import { logInTo } from './support/log-in.ts';
import { NARROW, shoot, violationsOf } from './support/pages.ts';

/** Rows that a request looks at, at most, where each row is looked up in another table. */
const ROWS = SLICES_MAX * JOINED_ROWS_EXAMINED_MAX;
/** Before the sample. */
const DAY = Math.floor(Date.now() / DAY_MS) * DAY_MS - 60 * DAY_MS;
const at = (ms: number) => new Date(ms).toISOString();
const WINDOW = `from=${at(DAY - DAY_MS)}&to=${at(DAY + 2 * DAY_MS)}`;

let engine: Engine;
let browser: Browser;
beforeAll(async () => {
  const executable = findChromium();
  if (executable === undefined) throw new Error(MISSING);
  [engine, browser] = await Promise.all([startEngine(), launchChromium(executable)]);
  const { database, testDatabase } = engine.api;
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
afterAll(async () => {
  await browser?.close();
  await engine?.[Symbol.asyncDispose]();
});

/** The page scrolls sideways. */
const IS_WIDER = 'document.documentElement.scrollWidth > document.documentElement.clientWidth';
const logIn = (viewport?: typeof NARROW) =>
  logInTo(engine, browser, viewport === undefined ? {} : { viewport });

test('a search says how far it got, and goes on until it finds the match', async () => {
  await using tab = await logIn();
  const { page, faults } = tab;
  await page.goto(
    `${engine.api.url}/console/transactions?${WINDOW}&label=none&currency=USD&min_amount=900`,
  );
  await page.getByText('No transaction matches so far').waitFor();
  const status = page.getByRole('status').filter({ hasText: 'Searched back to' });
  const reached = async () => await status.locator('time').getAttribute('datetime');
  const before = await reached();
  expect(Date.parse(before ?? '')).toBeGreaterThan(DAY);
  await shoot(page, 'searched-back-1280-light');
  expect(await violationsOf(page)).toEqual([]);
  const goOn = page.getByRole('button', { name: 'Go on' });
  while ((await goOn.count()) > 0) {
    await goOn.click();
    await expect.poll(() => page.getByText('Searching …').count(), { timeout: 60_000 }).toBe(0);
  }
  await page.getByRole('link', { name: 'acc_lost' }).waitFor();
  expect(await goOn.count()).toBe(0);
  expect(await status.count()).toBe(0);
  expect(faults).toEqual([]);
});

test('an order by score says down to which score it got, and goes on until it finds the match', async () => {
  const { testDatabase } = engine.api;
  // High scores, of which only the lowest is in the currency of the search.
  await testDatabase.sql(
    `insert into scores (features_crc32, transaction_id, created_at, scored_at, account_id, corridor, score, risk, verdict, reasons, features,
       feature_schema, rule_set, attempts, degradation)
     select 0, transaction_id, created_at, created_at, account_id, corridor, score, score / 1000.0, 'decline', '[]', '', 3,
            'default@3', 1, 0
       from (select *, (900 - 500 * (row_number() over (order by transaction_id)) / $1::int)::int as score
               from transactions where account_id = 'acc_many') ranked`,
    [ROWS],
  );
  await testDatabase.sql(
    `update transactions set currency = 'EGP'
      where transaction_id = (select max(transaction_id::text)::uuid from transactions where account_id = 'acc_many')`,
  );
  await testDatabase.sql('analyze transactions, scores');
  await using tab = await logIn();
  const { page, faults } = tab;
  await page.goto(`${engine.api.url}/console/transactions?${WINDOW}&sort=score&currency=EGP`);
  const status = page.getByRole('status').filter({ hasText: 'Searched down to score' });
  await status.waitFor();
  const score = Number(/score (\d+);/.exec((await status.textContent()) ?? '')?.[1]);
  expect(score).toBeGreaterThanOrEqual(400);
  expect(score).toBeLessThan(900);
  await shoot(page, 'searched-down-1280-light');
  expect(await violationsOf(page)).toEqual([]);
  const goOn = page.getByRole('button', { name: 'Go on' });
  while ((await goOn.count()) > 0) {
    await goOn.click();
    await expect.poll(() => page.getByText('Searching …').count(), { timeout: 60_000 }).toBe(0);
  }
  await page.getByRole('link', { name: 'acc_many' }).waitFor();
  expect(faults).toEqual([]);
});

test('neighbours say where there may be more', async () => {
  await using tab = await logIn();
  const { page } = tab;
  const answer = await engine.api.request('/v1/transactions?account_id=acc_many&limit=1');
  const { items } = (await answerOf(answer)).body;
  await page.goto(`${engine.api.url}/console/transactions/${items[0].transaction_id}`);
  const account = page.locator('.related', { has: page.getByRole('link', { name: 'acc_many' }) });
  await account.getByText('There may be more than these.').first().waitFor();
  expect(await violationsOf(page)).toEqual([]);
});

test('filters are saved under a name, chosen again, and forgotten', async () => {
  await using tab = await logIn();
  const { page, faults } = tab;
  const path = `${engine.api.url}/console/transactions`;
  await page.goto(`${path}?verdict=decline&sort=score`);
  await page.getByRole('button', { name: 'Save filters' }).click();
  await page.getByLabel('Name of these filters').fill('Declined, riskiest first');
  expect(await violationsOf(page)).toEqual([]);
  await page.keyboard.press('Enter');
  await page.goto(path);
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
  expect(faults).toEqual([]);
});

test('at 390 px the filters are folded, say how many are set, and open', async () => {
  await using tab = await logIn(NARROW);
  const { page } = tab;
  await page.goto(`${engine.api.url}/console/transactions?verdict=decline&currency=USD`);
  const more = page.getByRole('button', { name: 'More filters (2 active)' });
  await more.waitFor();
  expect(await page.getByLabel('Verdict', { exact: true }).count()).toBe(0);
  await more.click();
  expect(await page.getByLabel('Verdict', { exact: true }).inputValue()).toBe('decline');
  expect(await page.evaluate(IS_WIDER)).toBe(false);
  await shoot(page, 'filters-open-390-light');
  expect(await violationsOf(page)).toEqual([]);
});
