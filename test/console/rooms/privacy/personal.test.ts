/**
 * Goal: a person reads the value of a token for a reason, which the audit log has, and an officer erases it; axe finds nothing.
 * Method: an API whose market declares fields, and Chromium.
 */
import { expect, test } from 'vitest';
import { openForFile } from '../../../support/open-for-file.ts';
import { insertPersonKey } from '../../../support/people.ts';
import { makePrivacyFolder } from '../../../support/rooms/privacy/settings.ts';
import { spawnRunningApi } from '../../../support/running-api.ts';
import { answerOf, input, insistOnBatch } from '../../../support/submit.ts';
import { launchChromium } from '../../support/chromium.ts';
import { inspect, LOOKS } from '../../support/pages.ts';
import { logInAs } from '../../support/walk.ts';

const folder = await openForFile(makePrivacyFolder());
const api = await openForFile(spawnRunningApi(folder.settings));
const browser = await openForFile(launchChromium());
for (const field of ['account_id', 'device_id']) {
  const { status } = await api.request(`/v1/personal-fields/${field}`, { method: 'PUT' });
  expect(status).toBe(200);
}

const at = ['/personal', 'Personal data'] as const;
const pay = async (account: string) => {
  const fields = { account_id: account, device_id: `device of ${account}` };
  const { body } = await insistOnBatch(api, [input(fields)]);
  const id = body.results[0].transaction_id;
  return (await answerOf(await api.request(`/v1/transactions/${id}`))).body;
};

test('the value of a token is read for a reason, by who has the role alone', async () => {
  const { account_id: token } = await pay('Ann Example');
  const reader = await insertPersonKey(api.testDatabase, 'Rhea', ['personal_data']);
  for (const [width, viewport, colorScheme] of LOOKS) {
    await using page = await logInAs({ api }, browser, reader, at, { viewport, colorScheme });
    await page.getByLabel('Token').fill(token);
    await page.getByRole('button', { name: 'Read', exact: true }).click();
    expect(await page.getByText('Ann Example').count()).toBe(0);
    await page.getByLabel('Why you read it').fill('case 4711');
    await page.keyboard.press('Enter');
    await page.getByText('Ann Example').waitFor();
    expect(await inspect(page, `personal-${width}-${colorScheme}`)).toEqual([]);
    expect(await page.getByRole('button', { name: 'Erase …' }).count()).toBe(0);
  }
  const reads = await api.testDatabase.sql<{ who: string; after: { reason: string } }>(
    `select who, after from audit_log where action = 'personal.read'`,
  );
  expect(reads).toHaveLength(LOOKS.length);
  expect(reads[0]).toMatchObject({ who: 'Rhea', after: { reason: 'case 4711' } });
});

test('an officer erases an account with its device, once asked, and a blocked one waits', async () => {
  const list = { name: 'stolen', effect: 'block', kind: 'account', description: 'x' };
  await api.post('/v1/lists', list);
  await pay('Bob Example');
  const blocked = await pay('Cy Example');
  await api.post('/v1/lists/stolen/entries', { value: 'Cy Example', reason: 'stolen' });
  const ann = await insertPersonKey(api.testDatabase, 'Ann', ['risk_officer']);
  await using page = await logInAs({ api }, browser, ann, at);
  const erase = async (value: string) => {
    await page.getByLabel('Value or token').fill(value);
    await page.getByLabel('Why you erase it').fill('request 117');
    await page.getByRole('button', { name: 'Erase …' }).click();
    const dialog = page.getByRole('dialog', { name: 'Erase the value' });
    expect(await inspect(page, 'personal-erase-1280-light')).toEqual([]);
    await dialog.getByRole('button', { name: 'Erase', exact: true }).click();
  };
  await erase('Bob Example');
  await page.getByText('1 erased, 0 shared, 0 unjudged').waitFor();
  expect(await inspect(page, 'personal-erased-1280-light')).toEqual([]);
  await erase(blocked.account_id);
  await page.getByText('another person confirms the erasure').waitFor();
  await page.getByRole('button', { name: `Withdraw ${blocked.account_id}` }).waitFor();
  expect(await page.getByLabel('Token', { exact: true }).count()).toBe(0);
});
