/**
 * Goal: the search of the console lists, orders, counts and exports what the API finds. Method: an engine with a sample, and
 * Chromium.
 */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { DAY_MS } from '../../src/kit/words/range.ts';
import { idAt, storeTransactions } from '../support/stored-rows.ts';
import { answerOf, input } from '../support/submit.ts';
import { heading } from './support/log-in.ts';
import { inspect, isWider, NARROW, settle, shoot, violationsOf } from './support/pages.ts';
import { setUpConsole } from './support/set-up.ts';

/** True if every column of the table is in sight. */
const IS_WHOLE =
  'document.querySelector(".table").scrollWidth <= document.querySelector(".table").clientWidth';

const shown = setUpConsole();
const { logIn, open } = shown;

test('a long list is loaded page by page, and holds only the rows in sight', async () => {
  await using page = await logIn();
  await open(page, '/transactions');
  const table = page.getByRole('region', { name: 'Transactions' });
  await table.waitFor();
  const rowsSeen = () => table.locator('tr[data-index]').count();
  const lastIndex = () =>
    table.locator('tr[data-index]').last().getAttribute('data-index').then(Number);
  while ((await lastIndex()) < 400) {
    const before = await lastIndex();
    await table.evaluate((element) => element.scrollTo(0, element.scrollHeight));
    await expect.poll(lastIndex, { timeout: 20_000 }).toBeGreaterThan(before);
  }
  expect(await rowsSeen()).toBeLessThan(80);
});

test('an analyst lists the riskiest of a currency, counts them, and exports them', async () => {
  await using page = await logIn();
  await open(page, '/transactions');
  await page.getByText('2,040 transactions').waitFor();
  const largest = page.getByRole('button', { name: 'Largest first' });
  expect(await largest.isDisabled()).toBe(true);
  await page.getByText('More filters').click();
  await page.getByLabel('Amount from').fill('1,000');
  await page.keyboard.press('Enter');
  // Rows stay until the amount has a currency.
  await page.getByText('The amount applies once a currency is among the filters.').waitFor();
  await page.getByText('2,040 transactions').waitFor();
  await page.getByLabel('Currency').fill('usd');
  await page.keyboard.press('Enter');
  await page.waitForURL(/min_amount=1000&currency=USD/);
  await page.getByLabel('Amount from').fill('');
  await page.keyboard.press('Enter');
  await expect.poll(() => largest.isDisabled()).toBe(false);
  await page.getByRole('button', { name: 'Riskiest first' }).click();
  await page.waitForURL(/sort=score/);
  const table = page.getByRole('region', { name: 'Transactions' });
  const scores = async () =>
    (await table.locator('td:first-child strong').allTextContents()).map(Number);
  const highest = async () => (await scores())[0] ?? 0;
  await expect.poll(highest, { timeout: 20_000 }).toBeGreaterThanOrEqual(300);
  expect(await scores()).toEqual((await scores()).toSorted((a, b) => b - a));
  expect(await inspect(page, 'search-1280-light')).toEqual([]);
  await page.setViewportSize(NARROW);
  await shoot(page, 'search-390-light');
  expect(await isWider(page)).toBe(false);
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('link', { name: 'CSV' }).click(),
  ]);
  expect(download.suggestedFilename()).toBe('transactions.csv');
  const lines = readFileSync(await download.path(), 'utf8')
    .trim()
    .split('\n');
  expect(lines.length).toBeGreaterThan(1);
  expect(lines.slice(1).filter((line) => !line.includes('USD'))).toEqual([]);
});

test('a click anywhere in a row opens the transaction, and a click on an id of any length opens the page of the id', async () => {
  const long = (kind: string) => `${kind}-${'0123456789abcdef'.repeat(6)}`;
  const nowMs = Date.now();
  const [first] = await storeTransactions(shown.engine.api.database, [
    { id: idAt(nowMs, 1), createdAtMs: nowMs, accountId: long('account'), merchantId: long('m') },
    { id: idAt(nowMs, 2), createdAtMs: nowMs, accountId: long('account'), corridor: 'GB-NG' },
  ]);
  await using page = await logIn();
  await open(page, `/transactions?account_id=${long('account')}`);
  const table = page.getByRole('region', { name: 'Transactions' });
  const cell = table.getByText('US-EG', { exact: true });
  await cell.waitFor();
  await table.locator('tr[data-index]').first().hover();
  await shoot(page, 'long-ids-1280-light');
  expect(await page.evaluate(IS_WHOLE)).toBe(true);
  const account = table.getByTitle(long('account')).first();
  expect((await account.textContent())?.length).toBe(13);
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await table.getByRole('button', { name: `Copy ${long('m')}` }).click();
  expect(await page.evaluate('navigator.clipboard.readText()')).toBe(long('m'));
  const [apart] = await Promise.all([
    page.context().waitForEvent('page'),
    cell.click({ button: 'middle' }),
  ]);
  await heading(apart, 'Transaction').waitFor();
  expect(apart.url()).toContain(first);
  await apart.close();
  await account.click();
  await heading(page, 'Account').waitFor();
  await page.goBack();
  await cell.click();
  await page.waitForURL((url) => url.pathname.endsWith(first ?? ''));
});

test('any id is found from every page', async () => {
  const [riskiest] = shown.engine.riskiest;
  const { merchant, deadLetterId } = shown.engine;
  await using page = await logIn();
  const find = async (id: string) => {
    for (const key of ['g', 'i']) await page.keyboard.press(key);
    await page.keyboard.type(id);
    await page.keyboard.press('Enter');
  };
  const sent = await shown.engine.api.post(
    '/v1/transactions',
    input({ idempotency_key: 'order-7' }),
  );
  const { transaction_id: ofKey } = (await answerOf(sent)).body;
  await find('order-7');
  await page.waitForURL((url) => url.pathname.endsWith(ofKey));
  for (const [id, name] of [
    [riskiest?.account, 'Account'],
    [merchant, 'Merchant'],
    [riskiest?.id, 'Transaction'],
    [deadLetterId, 'Dead letters'],
  ] as const) {
    await find(id ?? '');
    const found = page.getByRole('search').getByRole('link', { name, exact: true });
    const title = heading(page, name);
    await found.or(title).first().waitFor();
    if (await found.isVisible()) await found.click();
    await title.waitFor();
    expect(page.url()).toContain(id);
  }
  await page.keyboard.press('Escape');
  await find('nobody');
  await page.getByText('Nothing has this id.').waitFor();
  expect(await violationsOf(page)).toEqual([]);
  await shoot(page, 'find-1280-light');
  await page.keyboard.press('Escape');
  await page.getByText('Nothing has this id.').waitFor({ state: 'hidden' });
});

test('an address finds the same rows in every zone, and times are shown on a clock of 24 hours', async () => {
  const noon = Math.floor(Date.now() / DAY_MS) * DAY_MS - 40 * DAY_MS + DAY_MS / 2;
  await storeTransactions(
    shown.engine.api.database,
    [-60_000, 0, 8 * 3_600_000, DAY_MS].map((afterMs, nth) => ({
      id: idAt(noon + afterMs, nth),
      ...{ createdAtMs: noon + afterMs, accountId: 'acc_zones' },
    })),
  );
  const day = new Date(noon).toISOString().slice(0, 10);
  await using tokyo = await logIn({ timezoneId: 'Asia/Tokyo', locale: 'en-US' });
  await using bogota = await logIn({ timezoneId: 'America/Bogota', locale: 'en-US' });
  const page = tokyo;
  const rowsOf = async (one: typeof page) => {
    await one.getByText('2 transactions', { exact: true }).waitFor();
    const links = one.getByRole('region', { name: 'Transactions' }).locator('[data-row]');
    return await links.evaluateAll((all) => all.map((link) => String(link.getAttribute('href'))));
  };
  await open(page, '/transactions?account_id=acc_zones');
  await page.getByText('4 transactions', { exact: true }).waitFor();
  await page.getByLabel('From (UTC+9)', { exact: true }).fill(`${day} 21:00`);
  await page.keyboard.press('Enter');
  await page.getByLabel('Until (UTC+9)', { exact: true }).fill(`${day} 23:59:59`);
  await page.keyboard.press('Enter');
  await page.waitForURL((url) => url.searchParams.get('to') === `${day}T14:59:59Z`);
  expect(new URL(page.url()).searchParams.get('from')).toBe(`${day}T12:00:00Z`);
  await page.getByText('1 transaction', { exact: true }).waitFor();
  await page
    .getByLabel('Until (UTC+9)', { exact: true })
    .fill(new Date(noon + DAY_MS).toISOString());
  await page.keyboard.press('Enter');
  const found = await rowsOf(page);
  await bogota.goto(page.url());
  expect(await rowsOf(bogota)).toEqual(found);
  expect(await bogota.getByLabel('From (UTC−5)', { exact: true }).inputValue()).toBe(
    `${day} 07:00`,
  );
  await bogota.getByText('Times are of America/Bogota, UTC−5.').first().waitFor();
  for (const path of ['/transactions', `/transactions/${found[0]?.split('/').at(-1)}`, '/']) {
    await open(page, path);
    await settle(page, path === '/' ? 'Corridors' : 'acc');
    expect(await page.locator('main').textContent()).not.toMatch(/\d [AP]M/);
  }
  await open(page, '/transactions');
  await page.getByRole('button', { name: 'Today', exact: true }).click();
  await page.waitForURL(/from=[^&]*T15%3A00%3A00Z/);
  expect(await inspect(page, 'today-1280-light')).toEqual([]);
});
