/**
 * Goal: the page of a model shows what people have to know, and rolls the model back; a key is made and used. Method: an engine
 * with a trained model, and Chromium.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { insertPersonKey } from '../support/people.ts';
import type { RollOut } from '../support/rolled-out.ts';
import { inspect, settle, shoot } from './support/pages.ts';
import { setUpConsole } from './support/set-up.ts';
import { storeHistory, TRAINED, trainModel } from './support/trained-model.ts';
import { logInAs } from './support/walk.ts';

const it = setUpConsole();
const PATH = `/models/${encodeURIComponent(TRAINED)}`;

let rollOut: RollOut;
beforeAll(async () => {
  rollOut = await trainModel(it.engine);
  await storeHistory(it.engine, rollOut);
});
afterAll(() => rollOut?.[Symbol.asyncDispose]());

const as = async (name: string, path: string, title: string) => {
  const key = await insertPersonKey(it.engine.api.testDatabase, name, ['risk_officer']);
  return await logInAs(it.engine, it.browser, key, [path, title]);
};

test('one person alone rolls a canary back, after a confirmation', async () => {
  await using page = await as('Kim', '/models/m%401', 'm@1');
  await page.getByRole('button', { name: 'Roll back US-EG' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
  expect(await rollOut.rig.json(undefined, 'show', 'm@1')).toMatchObject({
    corridors: [{ corridor: 'US-EG', state: 'canary' }],
  });
  await page.getByRole('button', { name: 'Roll back US-EG' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Roll back' }).click();
  await page.getByText('Rolled back.').waitFor();
  await page.getByRole('region', { name: 'Decisions' }).getByText('deprecated').waitFor();
});

test('the card, the shadow and the watch are plotted', async () => {
  await using tab = await it.logIn();
  await it.open(tab, PATH);
  await settle(tab, 'Average precision');
  const plots = tab.getByRole('img');
  const names = await plots.evaluateAll((all) => all.map((one) => one.getAttribute('aria-label')));
  expect(names.map((name) => name?.split(',')[0])).toEqual([
    'Calibration',
    'Scores',
    'Scores',
    'Calibration now',
  ]);
  await tab.getByText('area under the precision-recall curve').waitFor();
  const counted = await tab.getByText('flagged are frauds').textContent();
  const [, frauds, flagged] = /^([\d,]+) of ([\d,]+) flagged are frauds$/.exec(counted ?? '') ?? [];
  const item = tab.getByRole('listitem').filter({ hasText: 'Precision at the bound of review' });
  const precision = Number(frauds) / Number(flagged?.replace(',', ''));
  expect(await item.locator('strong').textContent()).toBe(precision.toFixed(3));
  await tab.getByText('1,200 transactions that both judged').waitFor();
  expect(await inspect(tab, 'trained-model-1280-light')).toEqual([]);
});

test('an admin makes a key, copies it once, and it works', async () => {
  await using page = await it.logIn({ permissions: ['clipboard-read', 'clipboard-write'] });
  await it.open(page, '/keys');
  await page.getByRole('button', { name: 'Make a key' }).click();
  const dialog = page.getByRole('dialog');
  const make = dialog.getByRole('button', { name: 'Make the key' });
  expect(await make.isDisabled()).toBe(true);
  await dialog.getByRole('checkbox', { name: 'analyst' }).check();
  await dialog.getByLabel('Owner', { exact: true }).fill('night shift');
  expect(await inspect(page, 'new-key-1280-light')).toEqual([]);
  await make.click();
  await dialog.getByText('it is not shown again').waitFor();
  await shoot(page, 'new-key-made-1280-light');
  await dialog.getByRole('button', { name: /^Copy/ }).click();
  const key = String(await page.evaluate('navigator.clipboard.readText()'));
  expect(key).toMatch(/^risk_/);
  const headers = { Authorization: `Bearer ${key}` };
  const me = await (await it.engine.api.request('/v1/me', { headers })).json();
  expect(me).toMatchObject({ roles: ['analyst'], owner: 'night shift' });
  await dialog.getByRole('button', { name: 'Close' }).click();
  await page.getByRole('region', { name: 'API keys' }).getByText('night shift').waitFor();
  expect(await page.content()).not.toContain(key);
  expect(await page.evaluate('JSON.stringify([localStorage, sessionStorage])')).not.toContain(key);
});
