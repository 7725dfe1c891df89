/**
 * Goal: on the page of a corridor people see how it does, make its verdicts stricter, set it, and note what an investigation
 * finds; levels, proposals and the rollback are decided on the page Switches. Method: an engine and Chromium.
 */
import { afterEach, expect, test } from 'vitest';
import type { Role } from '../../../../src/kit/words/principal.ts';
import { insertPersonKey } from '../../../support/people.ts';
import { openDisputes } from '../../support/disputes.ts';
import { heading } from '../../support/log-in.ts';
import { settle } from '../../support/pages.ts';
import { setUpConsole } from '../../support/set-up.ts';
import { inspect, logInAs } from '../../support/walk.ts';

const shown = setUpConsole();

afterEach(() => shown.engine.api.testDatabase.sql("update switches set stopped = '{}'"));

const as = async (name: string, path: readonly [string, string], ...roles: Role[]) => {
  const key = await insertPersonKey(shown.engine.api.testDatabase, name, roles);
  return await logInAs(shown.engine, shown.browser, key, path);
};
const CORRIDOR = ['/corridors/US-EG', 'Corridor US-EG'] as const;
const SWITCHES = ['/switches', 'Switches'] as const;

test('an operator opens a corridor from the list, tightens it, and an officer ends it', async () => {
  await using ann = await as('Ann', ['/corridors', 'Corridors'], 'operator');
  await ann.page.getByRole('link', { name: 'US-EG', exact: true }).first().click();
  await heading(ann.page, CORRIDOR[1]).waitFor();
  await ann.page.getByRole('button', { name: 'Tighten …' }).click();
  await ann.page.getByLabel('Points').fill('100');
  await ann.page.getByLabel('Ends after minutes').fill('60');
  await ann.page.getByLabel('Reason').fill('a wave of stolen cards');
  await ann.page.keyboard.press('Enter');
  const stricter = ann.page.getByRole('region', { name: 'Stricter verdicts' });
  await stricter.getByText('thresholds lower by 100 points').waitFor();
  await ann.page.getByRole('button', { name: 'Review by hand …' }).click();
  await ann.page.getByLabel('From amount').fill('2500');
  await ann.page.getByLabel('Ends after minutes').fill('20000');
  await ann.page.getByLabel('Reason').fill('the model fails');
  await ann.page.keyboard.press('Enter');
  await ann.page.getByRole('dialog').getByText('must lie within 7 days').waitFor();
  await ann.page.getByLabel('Ends after minutes').fill('60');
  await ann.page.keyboard.press('Enter');
  await stricter.getByText('reviewed by hand from 2500 USD on').waitFor();
  expect(await stricter.getByRole('button').count()).toBe(0);
  await using bob = await as('Bob', CORRIDOR, 'risk_officer');
  for (const title of ['Tighten', 'Review by hand']) {
    await bob.page.getByRole('button', { name: `End ${title}` }).click();
    await bob.page.getByLabel('Reason').fill('over');
    await bob.page.keyboard.press('Enter');
    await bob.page.getByRole('dialog').waitFor({ state: 'detached' });
  }
  await bob.page.getByText('No verdict is stricter than the rules say').waitFor();
  expect([...ann.faults, ...bob.faults]).toEqual([]);
});

test('settings are changed with a reason, and an investigation keeps its notes', async () => {
  await shown.engine.api.post('/v1/corridors/US-EG/freeze', { reason: 'a wave of stolen cards' });
  await using tab = await as('Ann', CORRIDOR, 'operator');
  const { page, faults } = tab;
  await page.getByRole('button', { name: 'Set …' }).click();
  await page.getByLabel('Weight').fill('2');
  await page.getByLabel('Data must stay in').fill('EG');
  await page.getByLabel('Reason').fill('pay day');
  await page.keyboard.press('Enter');
  await page.getByRole('definition').filter({ hasText: /^EG$/ }).waitFor();
  await page.getByLabel('Note').fill('All cards are of one bank.');
  await page.keyboard.press('Enter');
  await page.getByRole('list', { name: 'Notes' }).getByText('All cards are of one bank.').waitFor();
  await page.getByText('not independent').waitFor();
  await page.getByRole('heading', { name: 'Checklist for launch' }).waitFor();
  const worked = page.getByText(/^workers that read its streams: [1-9]/);
  await worked.waitFor();
  expect(faults).toEqual([]);
});

test('a level is set by hand and ended', async () => {
  await using tab = await as('Ann', SWITCHES, 'operator');
  const { page, faults } = tab;
  const set = page.getByRole('button', { name: 'Set the level: The corridor US-EG' });
  await set.click();
  await page.getByLabel('Reason').fill('the disks are replaced');
  await page.keyboard.press('Enter');
  const levels = page.getByRole('region', { name: 'Levels of degradation' });
  await levels.getByText('Ann: the disks are replaced').waitFor();
  await set.click();
  await page.getByLabel('Reason').fill('they work');
  await page.keyboard.press('Enter');
  await levels.getByText('Ann: the disks are replaced').waitFor({ state: 'detached' });
  expect(faults).toEqual([]);
});

test('disputes propose a freeze, which one person confirms', async () => {
  const wave = Array.from({ length: 11 }, (_, nth) => ({
    ...{ corridor: 'GB-NG', account_id: `acc_wave_${nth}` },
  }));
  await openDisputes(shown.engine, wave);
  await using tab = await as('Ann', SWITCHES, 'operator');
  const { page, faults } = tab;
  const proposed = page.getByRole('region', { name: 'Proposed' });
  await proposed.getByText('11 disputes came within 5 minutes, more than 10').waitFor();
  await page.getByRole('button', { name: 'Confirm: Freeze GB-NG' }).click();
  await settle(page, 'It ends by itself in 2 hours.');
  expect(await inspect(page, 'proposal-dialog')).toEqual([]);
  await page.getByLabel('Reason').fill('the bank sees it, too');
  await page.keyboard.press('Enter');
  await page.getByRole('region', { name: 'Frozen' }).getByText('The corridor GB-NG').waitFor();
  await proposed.getByText('11 disputes').waitFor({ state: 'detached' });
  expect(faults).toEqual([]);
});

test('the rollback of a frozen market takes two people', async () => {
  const { market } = shown.engine.api.testDatabase;
  await shown.engine.api.post(`/v1/markets/${market}/freeze`, { reason: 'the market is closed' });
  await using ann = await as('Ann', SWITCHES, 'risk_officer');
  await ann.page.getByRole('button', { name: 'Request the rollback …' }).click();
  await ann.page.getByLabel('Reason').fill('the market is closed');
  await ann.page.keyboard.press('Enter');
  await ann.page.getByText('Another risk officer or admin approves it.').waitFor();
  expect(await ann.page.getByRole('button', { name: /rollback/ }).count()).toBe(0);
  await using bob = await as('Bob', SWITCHES, 'risk_officer');
  await bob.page.getByRole('button', { name: 'Approve the rollback …' }).click();
  await bob.page.getByLabel('Reason').fill('seen');
  await bob.page.keyboard.press('Enter');
  await bob.page.getByText(`risk archive rollback ${market}`).waitFor();
  expect([...ann.faults, ...bob.faults]).toEqual([]);
});
