/**
 * Goal: an analyst's day and an operator's night are each one way through the console, without a detour. Method: a real engine, one
 * browser run each, and a screenshot and axe at each step.
 */
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { giveReason, setUpReview, undoBar } from './rooms/review/support.ts';
import { heading } from './support/log-in.ts';
import { OVERVIEW_COMPLETE, settle } from './support/pages.ts';
import { setUpConsole } from './support/set-up.ts';
import { inspect } from './support/walk.ts';

const shown = setUpConsole();
const { logIn, disputes, read } = setUpReview(shown);

/** Presses keys one after the other, then waits for the heading of the page. */
async function goTo(page: Page, keys: string, name: string): Promise<void> {
  for (const key of keys) await page.keyboard.press(key);
  await heading(page, name).waitFor();
}

/** Collects what is wrong at each step, named by its number. */
function stepsOf(page: Page, journey: string) {
  const found: string[] = [];
  let step = 0;
  const take = async (name: string, text: string | RegExp) => {
    await settle(page, text);
    step += 1;
    found.push(...(await inspect(page, `${journey}-${step}-${name}-1280-light`)));
  };
  return { take, found };
}

test('an analyst’s day: the riskiest, why, the ring, the next case, a decision taken back, the shift', async () => {
  const corridor = 'US-PH';
  const device_id = 'device-of-a-ring';
  await disputes(
    ...['acc_d1', 'acc_d2', 'acc_d3'].map((account_id) => ({ account_id, device_id, corridor })),
  );
  await using tab = await logIn('Ann');
  const { page, faults } = tab;
  const { take, found } = stepsOf(page, 'day');
  await take('overview', OVERVIEW_COMPLETE);
  await goTo(page, 'gt', 'Transactions');
  await page.getByRole('button', { name: 'Riskiest first' }).click();
  await page.waitForURL(/sort=score/);
  const table = page.getByRole('region', { name: 'Transactions' });
  await table
    .getByRole('link', { name: shown.engine.riskiest[0]?.account ?? '' })
    .first()
    .waitFor();
  await take('riskiest', 'transactions');
  await page.keyboard.press('j');
  await page.keyboard.press('Enter');
  await heading(page, 'Transaction').waitFor();
  await page.getByRole('heading', { name: 'Why' }).scrollIntoViewIfNeeded();
  await take('why', 'Lineage');

  await goTo(page, 'gr', 'Review');
  await page.getByRole('button', { name: 'P0' }).click();
  await page.getByLabel('Corridor').selectOption(corridor);
  await page.getByRole('link', { name: 'acc_d1' }).waitFor();
  await take('queue', 'Utilisation');
  await page.keyboard.press('n');
  await page.getByText('You have it for').waitFor();
  const ofCase = page.url();
  await page.getByRole('link', { name: 'all that is known' }).click();
  await heading(page, 'Transaction').waitFor();
  await page.getByRole('link', { name: device_id }).first().click();
  await heading(page, 'Device').waitFor();
  const users = page.getByRole('region', { name: 'Accounts on it' });
  for (const name of ['acc_d1', 'acc_d2', 'acc_d3']) await users.getByText(name).waitFor();
  await take('ring', 'Accounts on it');
  await page.goBack();
  await heading(page, 'Transaction').waitFor();
  await page.goBack();
  await page.getByText('You have it for').waitFor();
  expect(page.url()).toBe(ofCase);
  await page.keyboard.press('f');
  await giveReason(page, 'One device behind three accounts');
  await undoBar(page).getByText('Fraud: acc_d').waitFor();
  await take('decided', 'Undo');
  await page.keyboard.press('z');
  await page.getByText('You have it for').waitFor();
  await take('undone', 'You have it for');
  await page.keyboard.press('l');
  await giveReason(page, 'A family with one telephone');
  await undoBar(page).getByText('Legitimate: acc_d').waitFor();

  await goTo(page, 'gr', 'Review');
  const tile = (name: string) =>
    page.locator('.tiles > div').filter({ hasText: name }).locator('dd').textContent();
  await expect.poll(() => tile('You decided today')).toContain('0 fraud, 1 legitimate');
  expect(await tile('Undone')).toMatch(/^1\D/);
  await take('shift', 'You decided today');
  await page.getByRole('button', { name: 'Log out' }).click();
  await take('out', 'API key');
  expect(await page.context().cookies()).toEqual([]);
  expect(found).toEqual([]);
  expect(faults).toEqual([]);
});

test('an operator’s night: dead letters by error, a group replayed, corridors, workload, and who did what', async () => {
  await using tab = await shown.logIn();
  const { page, faults } = tab;
  const { take, found } = stepsOf(page, 'night');
  await goTo(page, 'gd', 'Dead letters');
  const groups = page.getByRole('region', { name: 'Groups of dead letters' });
  await groups.getByText('FEATURES_INVALID').waitFor();
  await take('groups', 'CRASHES_WORKER');
  const { items } = await read('/v1/dead-letters/groups');
  const open = items.find((one: { error_code: string }) => one.error_code === 'CRASHES_WORKER');
  await page.getByRole('button', { name: 'replay CRASHES_WORKER in US-EG' }).click();
  await take('asked', 'are tried again');
  await page.getByRole('button', { name: 'Replay', exact: true }).click();
  await page.getByText(`${open.dead_letters} replayed.`).waitFor();
  await groups.getByText('CRASHES_WORKER').waitFor({ state: 'detached' });
  await take('replayed', 'replayed.');
  await goTo(page, 'gc', 'Corridors');
  await page.getByRole('region', { name: 'Corridors', exact: true }).getByText('US-EG').waitFor();
  await take('corridors', 'Last 7 days');
  await goTo(page, 'gp', 'Workload');
  await take('workload', 'Officers at work');
  await goTo(page, 'ga', 'Audit');
  await page.getByRole('button', { name: 'dead-letters.replay' }).first().click();
  await page.getByRole('dialog', { name: 'dead-letters.replay' }).waitFor();
  await take('audit', 'After');
  expect(found).toEqual([]);
  expect(faults).toEqual([]);
});
