/**
 * Goal: the search of the console lists, orders, counts and exports what the API finds. Method: an engine with a sample, and
 * Chromium.
 */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
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
