/**
 * Goal: the search of the console lists, orders, counts and exports what the API finds. Method: an engine with a sample, and
 * Chromium.
 */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { idAt, storeTransactions } from '../support/stored-rows.ts';
import { heading } from './support/log-in.ts';
import { isWider, NARROW, shoot, violationsOf } from './support/pages.ts';
import { setUpConsole } from './support/set-up.ts';

const shown = setUpConsole();
const { logIn, open } = shown;

test('a long list is loaded page by page, and holds only the rows in sight', async () => {
  await using tab = await logIn();
  const { page } = tab;
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
  await using tab = await logIn();
  const { page, faults } = tab;
  await open(page, '/transactions');
  await page.getByText('2,040 transactions').waitFor();
  const largest = page.getByRole('button', { name: 'Largest first' });
  expect(await largest.isDisabled()).toBe(true);
  await page.getByText('More filters').click();
  await page.getByLabel('Currency').fill('USD');
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
  await shoot(page, 'search-1280-light');
  expect(await violationsOf(page)).toEqual([]);
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
  expect(faults).toEqual([]);
});

test('a transaction leads to its neighbours', async () => {
  await using tab = await logIn();
  const { page } = tab;
  await open(page, `/transactions/${shown.engine.riskiest[0]?.id}`);
  const near = page.getByRole('region', { name: 'Neighbours by account' });
  await near.scrollIntoViewIfNeeded();
  await shoot(page, 'neighbours-1280-light');
  expect(await violationsOf(page)).toEqual([]);
  await page.setViewportSize(NARROW);
  await near.scrollIntoViewIfNeeded();
  await shoot(page, 'neighbours-390-light');
  expect(await isWider(page)).toBe(false);
  await near.getByRole('link').first().click();
  await page.waitForURL((url) => !url.pathname.endsWith(shown.engine.riskiest[0]?.id ?? ''));
  await heading(page, 'Transaction').waitFor();
});

test('a row opens its transaction wherever it is clicked, and its ids lead to themselves, however long they are', async () => {
  const long = (kind: string) => `${kind}-${'0123456789abcdef'.repeat(6)}`;
  const nowMs = Date.now();
  const [first] = await storeTransactions(shown.engine.api.database, [
    { id: idAt(nowMs, 1), createdAtMs: nowMs, accountId: long('account'), merchantId: long('m') },
    { id: idAt(nowMs, 2), createdAtMs: nowMs, accountId: long('account'), corridor: 'GB-NG' },
  ]);
  await using tab = await logIn();
  const { page, faults } = tab;
  await open(page, `/transactions?account_id=${long('account')}`);
  const table = page.getByRole('region', { name: 'Transactions' });
  const cell = table.getByText('US-EG', { exact: true });
  await cell.waitFor();
  await table.locator('tr[data-index]').first().hover();
  await shoot(page, 'long-ids-1280-light');
  const isWhole =
    'document.querySelector(".table").scrollWidth <= document.querySelector(".table").clientWidth';
  expect(await page.evaluate(isWhole)).toBe(true);
  const account = table.getByTitle(long('account')).first();
  expect((await account.textContent())?.length).toBe(15);
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
  await heading(page, 'Transaction').waitFor();
  expect(page.url()).toContain(first);
  expect(faults).toEqual([]);
});

test('any id is found from every page', async () => {
  const [riskiest] = shown.engine.riskiest;
  const { merchant, deadLetterId } = shown.engine;
  await using tab = await logIn();
  const { page, faults } = tab;
  const find = async (id: string) => {
    for (const key of ['g', 'i']) await page.keyboard.press(key);
    await page.keyboard.type(id);
    await page.keyboard.press('Enter');
  };
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
  expect(faults).toEqual([]);
});
