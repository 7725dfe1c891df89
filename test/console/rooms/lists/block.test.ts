/**
 * Goal: an analyst blocks a party of what stands on the screen by one key and a reason, and finds the entry again. Method: an
 * engine with a sample scored, and Chromium without a mouse.
 */
import type { Page } from 'playwright-core';
import { beforeAll, expect, test } from 'vitest';
import { insertPersonKey } from '../../../support/people.ts';
import { answerOf } from '../../../support/submit.ts';
import { openDisputes } from '../../support/disputes.ts';
import { heading } from '../../support/log-in.ts';
import { inspect } from '../../support/pages.ts';
import { setUpConsole } from '../../support/set-up.ts';
import { logInAs } from '../../support/walk.ts';

const it = setUpConsole();
let ann: string;
let caseId: string;
const PARTIES = { account: 'acc_blocked', merchant: 'shop_blocked', device: 'device_blocked' };
beforeAll(async () => {
  ann = await insertPersonKey(it.engine.api.testDatabase, 'Ann', ['analyst']);
  const { account, merchant, device } = PARTIES;
  const fields = {
    account_id: account,
    merchant_id: merchant,
    device_id: device,
    ip: '203.0.113.9',
  };
  const ids = await openDisputes(it.engine, [{ ...fields, country: 'US' }]);
  caseId = ids[0] ?? '';
});

const as = (path: string, title: string, options = {}) =>
  logInAs(it.engine, it.browser, ann, [path, title], options);
const headers = () => ({ Authorization: `Bearer ${ann}`, 'Content-Type': 'application/json' });
const entriesOf = async (list: string) => {
  const path = `/v1/lists/${list}/entries?state=all`;
  return (await answerOf(await it.engine.api.request(path, { headers: headers() }))).body.items;
};

/** Opens the dialog by its key, and tabs to the reason. */
async function askFor(page: Page, fields: number): Promise<void> {
  await page.getByRole('button', { name: 'Block … b' }).waitFor();
  await page.keyboard.press('b');
  const asked = page.getByRole('dialog');
  await asked.getByText('No rule in force asks').waitFor();
  await asked.getByText('No list has it').or(asked.locator('.listed')).waitFor();
  for (let nth = 0; nth < fields; nth++) await page.keyboard.press('Tab');
}

test('an account is blocked by b, a reason and Enter, and its entry has the name of the person', async () => {
  await using page = await as(`/accounts/${PARTIES.account}`, 'Account');
  await askFor(page, 2);
  await page.getByText('No list blocks accounts yet: this makes blocked-accounts').waitFor();
  await page.keyboard.type('seen with a stolen card');
  expect(await inspect(page, 'block-new-1280-light')).toEqual([]);
  await page.keyboard.press('Enter');
  await page.getByText('acc_blocked is on blocked-accounts').waitFor();
  expect(await inspect(page, 'block-done-1280-light')).toEqual([]);
  await page.getByRole('link', { name: 'Show the entry' }).press('Enter');
  await heading(page, 'blocked-accounts').waitFor();
  await page
    .getByRole('region', { name: 'Entries' })
    .getByText('seen with a stolen card')
    .waitFor();
  expect(await entriesOf('blocked-accounts')).toMatchObject([
    { value: 'acc_blocked', added_by: 'Ann', reason: 'seen with a stolen card', expires_at: null },
  ]);
});

test.each([
  ['merchant', () => `/merchants/${PARTIES.merchant}`, 'Merchant', 0],
  ['device', () => `/review/${caseId}`, 'Case', 2],
  ['address', () => `/transactions/${caseId}`, 'Transaction', 3],
] as const)(
  'a %s is chosen among the parties of the page, and ends by itself',
  async (kind, path, title, down) => {
    await using page = await as(path(), title);
    await askFor(page, 0);
    for (let nth = 0; nth < down; nth++) await page.keyboard.press('ArrowDown');
    await page.getByText(`this makes blocked-${kind}`, { exact: false }).waitFor();
    await page.getByLabel('How long').focus();
    await page.keyboard.type('for 30');
    await page.keyboard.press('Tab');
    await page.keyboard.type(`the ${kind} of a ring`);
    await page.keyboard.press('Enter');
    await page.getByText(`is on blocked-${kind}`).waitFor();
    const [entry] = await entriesOf(kind === 'address' ? 'blocked-addresses' : `blocked-${kind}s`);
    const days = (Date.parse(entry.expires_at) - Date.parse(entry.added_at)) / 86_400_000;
    expect(days).toBeCloseTo(30, 2);
  },
);

test('an entry is ended after a confirmation, and its history stays', async () => {
  await using page = await as('/lists/blocked-accounts?value=acc_blocked', 'blocked-accounts');
  await page.getByRole('button', { name: 'End acc_blocked' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'End', exact: true }).click();
  await page.getByText('acc_blocked is not among them').waitFor();
  await page.getByRole('button', { name: 'History' }).click();
  await page.getByText('ended', { exact: true }).waitFor();
  expect((await entriesOf('blocked-accounts'))[0]).toMatchObject({ ended_by: 'Ann' });
});
