/**
 * Goal: a person stops a corridor with two keys and a reason, everybody sees it, and starts it again; another
 * person resumes a frozen corridor and raises a limit. Method: an engine and Chromium.
 */
import { afterEach, describe, expect, test } from 'vitest';
import type { Role } from '../../../../src/kit/words/principal.ts';
import { insertPersonKey } from '../../../support/people.ts';
import { heading } from '../../support/log-in.ts';
import { LOOKS, settle } from '../../support/pages.ts';
import { setUpConsole } from '../../support/set-up.ts';
import { inspect, logInAs, walk } from '../../support/walk.ts';

const shown = setUpConsole();
const PAGE = ['/switches', 'Switches'] as const;

afterEach(async () => {
  const { sql } = shown.engine.api.testDatabase;
  await sql("update switches set stopped = '{}'");
  await sql('delete from limits');
});

const send = async (method: string, path: string, body: object) => {
  const headers = { 'Content-Type': 'application/json' };
  const init = { method, headers, body: JSON.stringify(body) };
  const { status } = await shown.engine.api.request(path, init);
  expect(status).toBe(200);
};
const stop = (scope: string, more: object) =>
  send('PUT', `/v1/switches/${scope}`, {
    stopped: true,
    reason: 'payouts fail at the bank',
    ...more,
  });
const limit = (scope: string, rate: number) =>
  send('PUT', `/v1/limits/${scope}`, {
    ...{ kind: 'transactions', rate_per_second: rate, burst: rate * 2 },
    reason: 'contract of 2026',
  });
const as = async (name: string, ...roles: Role[]) => {
  const key = await insertPersonKey(shown.engine.api.testDatabase, name, roles);
  return await logInAs(shown.engine, shown.browser, key, PAGE);
};

test('an operator stops a corridor by keys, each page says so, and it is started with a reason', async () => {
  const key = await shown.engine.keyOf('operator', 'analyst');
  await using tab = await logInAs(shown.engine, shown.browser, key, ['/', 'Overview']);
  const { page, faults } = tab;
  await page.keyboard.press('g');
  await page.keyboard.press('s');
  await page.getByText('Nothing is stopped').waitFor();
  await page.keyboard.press('c');
  await page.getByLabel('Corridor', { exact: true }).selectOption('US-EG');
  await page.getByLabel('Reason').fill('payouts fail at the bank');
  await page.keyboard.press('Enter');
  await page.getByRole('cell', { name: 'payouts fail at the bank' }).waitFor();
  await page.keyboard.press('g');
  await page.keyboard.press('o');
  await heading(page, 'Overview').waitFor();
  await page.getByText('The corridor US-EG is stopped').waitFor();
  await page.getByRole('main').getByRole('link', { name: 'Switches' }).click();
  await page.getByRole('button', { name: 'Start The corridor US-EG' }).click();
  await page.getByLabel('Reason').fill('the bank answers again');
  await page.keyboard.press('Enter');
  await page.getByText('Nothing is stopped').waitFor();
  expect(faults).toEqual([]);
});

test('a corridor is frozen by keys, is drained, and is resumed by another person', async () => {
  await using ann = await as('Ann', 'risk_officer', 'analyst');
  await ann.page.getByText('Nothing is frozen').waitFor();
  await ann.page.keyboard.press('f');
  await ann.page.getByLabel('What', { exact: true }).selectOption('US-EG');
  await ann.page.getByLabel('Reason').fill('a wave of stolen cards');
  await ann.page.keyboard.press('Enter');
  const frozen = ann.page.getByRole('region', { name: 'Frozen' });
  await frozen.getByText('drained').waitFor();
  await frozen.getByText('Release no value.').waitFor();
  await frozen.getByText('another person (risk officer or admin) resumes it').waitFor();
  await using cy = await as('Cy', 'operator');
  await cy.page.getByText('a risk officer or an admin resumes it').waitFor();
  expect(await cy.page.getByRole('button', { name: 'Resume' }).count()).toBe(0);
  await using bob = await as('Bob', 'risk_officer');
  await bob.page.getByRole('button', { name: 'Resume The corridor US-EG' }).click();
  await bob.page.getByLabel('Reason').fill('the cards are blocked');
  await bob.page.keyboard.press('Enter');
  await bob.page.getByText('Nothing is frozen').waitFor();
  expect([...ann.faults, ...bob.faults]).toEqual([]);
});

test('a limit is set by one person, and raised by two', async () => {
  await using ann = await as('Ann', 'operator');
  await ann.page.getByText('Nothing is limited').waitFor();
  const give = async (rate: string, burst: string) => {
    await ann.page.getByLabel('A second').fill(rate);
    await ann.page.getByLabel('Burst').fill(burst);
    await ann.page.getByLabel('Reason').fill('contract of 2026');
    await ann.page.keyboard.press('Enter');
  };
  await ann.page.keyboard.press('i');
  await ann.page.getByLabel('Limited', { exact: true }).selectOption('client:');
  await ann.page.getByLabel('Name or id').fill('shop');
  await give('500', '1000');
  const limits = ann.page.getByRole('region', { name: 'Limits' });
  await limits.getByText('transactions: 500 a second, burst 1,000').waitFor();
  await ann.page.getByRole('button', { name: 'Change The client shop, transactions' }).click();
  await give('800', '1600');
  await limits.getByText('800 a second, burst 1,600, by Ann').waitFor();
  await limits.getByText('another person confirms it').waitFor();
  await using bob = await as('Bob', 'operator');
  await bob.page.getByRole('button', { name: 'Confirm The client shop, transactions' }).click();
  await bob.page.getByText('Ann proposes 800 a second').waitFor();
  await bob.page.getByLabel('Reason').fill('seen');
  await bob.page.keyboard.press('Enter');
  await bob.page.getByText('transactions: 800 a second, burst 1,600').waitFor();
  expect([...ann.faults, ...bob.faults]).toEqual([]);
});

test('a flag is turned off and on with a reason', async () => {
  await using tab = await as('Ann', 'operator');
  const { page, faults } = tab;
  for (const [turn, then] of [
    ['off', 'on'],
    ['on', 'off'],
  ]) {
    await page.getByRole('button', { name: `Turn ${turn}: shadows` }).click();
    await page.getByLabel('Reason').fill('the disks are busy');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: `Turn ${then}: shadows` }).waitFor();
  }
  expect(faults).toEqual([]);
});

describe.each(LOOKS)('at %s px, %s %s', (width, viewport, colorScheme) => {
  test('the page with stops, without, its dialog, and a page with the banner', async () => {
    await using tab = await shown.logIn({ viewport, colorScheme });
    const look = `${width}-${colorScheme}`;
    await walk(shown.engine, tab, [['switches-none', '/switches', 'Nothing is stopped']], look);
    const endsAt = new Date(Date.now() + 3_600_000).toISOString();
    await stop('corridor:US-EG', { message: 'Payouts to Egypt are paused.', ends_at: endsAt });
    await stop('client:shop', {});
    await send('POST', '/v1/corridors/FR-MA/freeze', { reason: 'a wave of stolen cards' });
    await limit('client:shop', 500);
    await limit('corridor:US-EG', 100);
    await limit('corridor:US-EG', 200);
    await send('PUT', '/v1/flags/shadows', { enabled: false, reason: 'the disks are busy' });
    await walk(
      shown.engine,
      tab,
      [
        ['stopped-banner', '/corridors', 'and 2 more'],
        ['switches', '/switches', 'The client shop'],
      ],
      look,
    );
    const row = tab.page.getByRole('row').filter({ hasText: 'The corridor US-EG' });
    expect(await row.first().locator('td:visible').count()).toBe(5);
    await tab.page.keyboard.press('c');
    await settle(tab.page, 'Stop a corridor');
    expect(await inspect(tab.page, `switch-dialog-${look}`)).toEqual([]);
    await tab.page.keyboard.press('Escape');
    await tab.page.keyboard.press('i');
    await settle(tab.page, 'Set a limit');
    expect(await inspect(tab.page, `limit-dialog-${look}`)).toEqual([]);
    await tab.page.keyboard.press('Escape');
    await tab.page.keyboard.press('f');
    await settle(tab.page, 'Freeze a corridor or the market');
    expect(await inspect(tab.page, `freeze-dialog-${look}`)).toEqual([]);
    await tab.page.keyboard.press('Escape');
    await tab.page.getByRole('region', { name: 'Flags' }).scrollIntoViewIfNeeded();
    expect(await inspect(tab.page, `switches-below-${look}`)).toEqual([]);
    expect(tab.faults).toEqual([]);
  });
});
