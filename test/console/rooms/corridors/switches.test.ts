/**
 * Goal: a person stops a corridor with two keys and a reason, everybody sees it, and starts it again; the market is started by
 * another person. Method: an engine and Chromium.
 */
import { afterEach, describe, expect, test } from 'vitest';
import { insertPersonKey } from '../../../support/people.ts';
import { heading } from '../../support/log-in.ts';
import { LOOKS, settle } from '../../support/pages.ts';
import { setUpConsole } from '../../support/set-up.ts';
import { inspect, logInAs, walk } from '../../support/walk.ts';

const shown = setUpConsole();
const PAGE = ['/switches', 'Switches'] as const;

afterEach(async () => {
  await shown.engine.api.testDatabase.sql("update switches set stopped = '{}'");
});

const stop = (scope: string, more: object) =>
  shown.engine.api.request(`/v1/switches/${scope}`, {
    method: 'PUT',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ stopped: true, reason: 'payouts fail at the bank', ...more }),
  });

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

test('who has stopped the market reads that another person starts it', async () => {
  const key = await insertPersonKey(shown.engine.api.testDatabase, 'Ann', ['admin']);
  await using tab = await logInAs(shown.engine, shown.browser, key, PAGE);
  const { page, faults } = tab;
  await page.getByText('Nothing is stopped').waitFor();
  await page.keyboard.press('m');
  await page.keyboard.type('the fraud team asks');
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Start The market' }).click();
  await page.keyboard.type('over');
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog');
  await dialog
    .getByText('The scope market was closed by Ann: another person opens it again.')
    .waitFor();
  expect(await inspect(page, 'switch-refused')).toEqual([]);
  expect(faults).toEqual([]);
});

test('an analyst sees what is stopped, and changes nothing', async () => {
  await stop('client:shop', {});
  const key = await shown.engine.keyOf('analyst');
  await using tab = await logInAs(shown.engine, shown.browser, key, PAGE);
  await tab.page.getByRole('cell', { name: 'The client shop' }).waitFor();
  expect(await tab.page.getByRole('button', { name: /Stop|Start/ }).count()).toBe(0);
});

describe.each(LOOKS)('at %s px, %s %s', (width, viewport, colorScheme) => {
  test('the page with stops, without, its dialog, and a page with the banner', async () => {
    await using tab = await shown.logIn({ viewport, colorScheme });
    const look = `${width}-${colorScheme}`;
    await walk(shown.engine, tab, [['switches-none', '/switches', 'Nothing is stopped']], look);
    const endsAt = new Date(Date.now() + 3_600_000).toISOString();
    await stop('corridor:US-EG', { message: 'Payouts to Egypt are paused.', ends_at: endsAt });
    await stop('client:shop', {});
    await walk(
      shown.engine,
      tab,
      [
        ['stopped-banner', '/corridors', 'and 1 more'],
        ['switches', '/switches', 'The client shop'],
      ],
      look,
    );
    const row = tab.page.getByRole('row').filter({ hasText: 'The corridor US-EG' });
    expect(await row.locator('td:visible').count()).toBe(6);
    await tab.page.keyboard.press('c');
    await settle(tab.page, 'Stop a corridor');
    expect(await inspect(tab.page, `switch-dialog-${look}`)).toEqual([]);
    expect(tab.faults).toEqual([]);
  });
});
