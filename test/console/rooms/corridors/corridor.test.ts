/**
 * Goal: on the page of a corridor people see how it does, make its verdicts stricter, set it, and note what an investigation
 * finds; suggestions and the rollback are decided on the page Controls. Method: an engine and Chromium.
 */
import { afterEach, expect, test } from 'vitest';
import type { Role } from '../../../../src/kit/words/principal.ts';
import { insertPersonKey } from '../../../support/people.ts';
import { putControl } from '../../../support/rooms/corridors/requests.ts';
import { openDisputes } from '../../support/disputes.ts';
import { heading } from '../../support/log-in.ts';
import { inspect, settle } from '../../support/pages.ts';
import { setUpConsole } from '../../support/set-up.ts';
import { logInAs } from '../../support/walk.ts';

const shown = setUpConsole();

afterEach(() => shown.engine.api.testDatabase.sql('delete from controls'));

const as = async (name: string, path: readonly [string, string], ...roles: Role[]) => {
  const key = await insertPersonKey(shown.engine.api.testDatabase, name, roles);
  return await logInAs(shown.engine, shown.browser, key, path);
};
const CORRIDOR = ['/corridors/US-EG', 'Corridor US-EG'] as const;
const CONTROLS = ['/controls', 'Controls'] as const;

test('an operator opens a corridor from the list, tightens it, and an officer ends it', async () => {
  await using ann = await as('Ann', ['/corridors', 'Corridors'], 'operator');
  await ann.getByRole('link', { name: 'US-EG', exact: true }).first().click();
  await heading(ann, CORRIDOR[1]).waitFor();
  const dialog = async (kind: string, label: string, value: string) => {
    await ann.getByRole('button', { name: 'Set a control …' }).click();
    await ann.getByLabel('Kind', { exact: true }).selectOption(kind);
    await ann.getByLabel(label).fill(value);
  };
  await dialog('tighten', 'Points', '100');
  await ann.getByLabel('Ends after minutes').fill('60');
  await ann.getByLabel('Reason').fill('a wave of stolen cards');
  await ann.keyboard.press('Enter');
  const controls = ann.getByRole('region', { name: 'In force' });
  await controls.getByText('thresholds lower by 100 points').waitFor();
  await dialog('manual', 'From amount', '2500');
  await ann.getByLabel('Ends after minutes').fill('20000');
  await ann.getByLabel('Reason').fill('the model fails');
  await ann.keyboard.press('Enter');
  await ann.getByRole('dialog').getByText('must lie within 7 days').waitFor();
  await ann.getByLabel('Ends after minutes').fill('60');
  await ann.keyboard.press('Enter');
  await controls.getByText('reviewed by hand from 2500 USD on').waitFor();
  expect(await controls.getByRole('button', { name: /^End/ }).count()).toBe(0);
  await using bob = await as('Bob', CORRIDOR, 'risk_officer');
  for (const kind of ['tighten', 'manual']) {
    await bob.getByRole('button', { name: `End ${kind}: The corridor US-EG` }).click();
    await bob.getByLabel('Reason').fill('over');
    await bob.keyboard.press('Enter');
    await bob.getByRole('dialog').waitFor({ state: 'detached' });
  }
  await bob.getByText('Nothing bounds the corridor').waitFor();
});

test('settings are changed with a reason, and an investigation keeps its notes', async () => {
  await putControl(shown.engine.api, 'freeze', 'corridor:US-EG');
  await using page = await as('Ann', CORRIDOR, 'operator');
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
});

test('disputes suggest a freeze, which one person applies', async () => {
  const wave = Array.from({ length: 11 }, (_, nth) => ({
    ...{ corridor: 'GB-NG', account_id: `acc_wave_${nth}` },
  }));
  await openDisputes(shown.engine, wave);
  await using page = await as('Ann', CONTROLS, 'operator');
  const suggested = page.getByRole('region', { name: 'Suggested' });
  await suggested.getByText('11 disputes came within 5 minutes, more than 10').waitFor();
  await page.getByRole('button', { name: 'Apply: Freeze GB-NG' }).click();
  await settle(page, 'It ends by itself in 2 hours.');
  expect(await inspect(page, 'suggestion-dialog')).toEqual([]);
  await page.getByLabel('Reason').fill('the bank sees it, too');
  await page.keyboard.press('Enter');
  await page
    .getByRole('region', { name: 'In force' })
    .getByText('freeze: The corridor GB-NG')
    .waitFor();
  await suggested.getByText('11 disputes').waitFor({ state: 'detached' });
});

test('the rollback of a frozen market takes two people', async () => {
  const { market } = shown.engine.api.testDatabase;
  await putControl(shown.engine.api, 'freeze', 'market');
  await using ann = await as('Ann', CONTROLS, 'risk_officer');
  await ann.getByRole('button', { name: 'Request the rollback …' }).click();
  await ann.getByLabel('Reason').fill('the market is closed');
  await ann.keyboard.press('Enter');
  const confirm = { name: `Confirm ${market}` };
  await ann.getByRole('button', { name: `Withdraw ${market}` }).waitFor();
  expect(await ann.getByRole('button', confirm).count()).toBe(0);
  await using bob = await as('Bob', CONTROLS, 'risk_officer');
  await bob.getByRole('button', confirm).click();
  await bob.getByRole('button', { name: 'Confirm', exact: true }).click();
  await bob.getByText(`${market}: confirmed.`).waitFor();
});
