/**
 * Goal: a typed reason survives a lost API, a decision that is sent twice is made once, several cases are decided with one
 * reason, and a transaction is marked as fraud. Method: a real engine whose API is frozen, and Chromium.
 */
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { answerOf, input, labelInput, postLabels } from '../../../support/submit.ts';
import { waitUntil } from '../../../support/wait-until.ts';
import { inspect } from '../../support/pages.ts';
import { setUpConsole } from '../../support/set-up.ts';
import { giveReason, setUpReview, undoBar } from './support.ts';

const shown = setUpConsole();
const { open } = shown;
const { read, logIn, openCase, disputes } = setUpReview(shown);

const unanswered = (page: Page) =>
  page
    .getByRole('dialog')
    .getByText(/^Sent at \d\d:\d\d:\d\d\. No answer came, so whether it is stored is unknown\./);

/** Watches for the event of a close, because a dialog that closes and opens again moves the focus. */
async function staysWhileSending(page: Page): Promise<void> {
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Sending' }).waitFor();
  expect(await dialog.getByRole('button', { name: 'Cancel' }).isDisabled()).toBe(true);
  await dialog.evaluate((element) =>
    element.addEventListener('close', () => element.setAttribute('data-closed', '')),
  );
  for (const _ of [1, 2, 3]) await page.keyboard.press('Escape');
  await dialog.getByRole('button', { name: 'Sending' }).waitFor();
  expect(await dialog.getAttribute('data-closed')).toBeNull();
}

const isDecided = (id: string) => async () => (await read(`/v1/reviews/${id}`)).state === 'decided';

test('a reason stays while the API is lost, and the case is decided once', async () => {
  const [id = '', other = ''] = await disputes({ account_id: 'acc_t1' }, { account_id: 'acc_t2' });
  const { process: api } = shown.engine.api;
  await using page = await logIn('Ann');
  await openCase(page, id);
  await page.keyboard.press('f');
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'The account was taken over.' }).click();
  const sentence = await dialog.getByLabel('Reason').inputValue();
  expect(sentence).toBe('The account was taken over.');
  api.kill('SIGSTOP');
  try {
    await page.keyboard.press('Enter');
    await staysWhileSending(page);
    await unanswered(page).waitFor();
    expect(await dialog.getByLabel('Reason').inputValue()).toBe(sentence);
    expect(await inspect(page, 'review-unanswered-1280-light')).toEqual([]);
  } finally {
    api.kill('SIGCONT');
  }
  // The first request waited in the socket; the API answers it when it runs again, and the page reads the case anew.
  await waitUntil(isDecided(id), 30_000, 'the first sending to be carried out');
  await dialog.waitFor({ state: 'detached', timeout: 30_000 });
  await undoBar(page).getByText('Fraud: acc_t1').waitFor();
  expect(await page.getByRole('alert').count()).toBe(0);
  const { history } = await read(`/v1/reviews/${id}`);
  const decisions = history.filter(({ action }: { action: string }) => action === 'case.decide');
  expect(decisions.length).toBe(1);

  await openCase(page, other);
  await page.keyboard.press('l');
  await dialog.getByLabel('Reason').fill('The cardholder called back');
  await page.context().setOffline(true);
  await page.keyboard.press('Enter');
  await dialog.getByText(/^Not sent: at \d\d:\d\d:\d\d this browser had no network/).waitFor();
  expect((await read(`/v1/reviews/${other}`)).decision).toBeNull();
  await page.context().setOffline(false);
  await page.keyboard.press('Escape');
  const card = page.getByRole('alert');
  await card.getByText('No answer came, so whether it is stored is unknown.').waitFor();
  expect(await inspect(page, 'review-lost-1280-light')).toEqual([]);
  await card.getByRole('button', { name: 'Send again' }).click();
  expect(await dialog.getByLabel('Reason').inputValue()).toBe('The cardholder called back');
  await page.keyboard.press('Enter');
  await undoBar(page).getByText('Legitimate: acc_t2').waitFor();
  expect((await read(`/v1/reviews/${other}`)).decision.reason).toBe('The cardholder called back');
});

test('selected cases are decided with one reason, except a case that somebody has claimed meanwhile', async () => {
  const merchant = 'm_bulk';
  const ids = await disputes(
    ...[1, 2, 3, 4].map((n) => ({ account_id: `acc_bulk_${n}`, merchant_id: merchant })),
  );
  await using page = await logIn('Ann');
  await open(page, `/review?merchant_id=${merchant}`);
  const pick = (n: number) =>
    page.getByRole('checkbox', { name: `Select the case of acc_bulk_${n}` });
  await pick(1).check();
  await pick(2).check();
  const bar = page.getByRole('region', { name: 'Selected cases' });
  await bar.getByText('2 selected, 100.00 USD').waitFor();
  await page.keyboard.press('j');
  await page.keyboard.press('x');
  await bar.getByRole('button', { name: 'All shown' }).click();
  await bar.getByText('4 selected, 200.00 USD').waitFor();
  await pick(4).uncheck();
  expect(await inspect(page, 'review-selected-1280-light')).toEqual([]);
  await bar.getByRole('button', { name: 'Decide 3' }).click();
  const dialog = page.getByRole('dialog', { name: 'Decide 3 cases at once' });
  await dialog.getByText('Together 150.00 USD').waitFor();
  const { sql } = shown.engine.api.testDatabase;
  await sql(
    `update review_cases set locked_by = 'Dee', locked_until = now() + interval '1 hour' where transaction_id = $1`,
    [ids[2]],
  );
  await dialog.getByRole('button', { name: 'Legitimate', exact: true }).click();
  await giveReason(page, 'It is usual for these accounts.');
  const refused = page.getByRole('alert');
  await refused.getByText('2 of 3 cases decided; not these:').waitFor();
  await refused.getByText('acc_bulk_3').waitFor();
  await refused.getByText('Dee has claimed it.').waitFor();
  await undoBar(page).getByText('2 cases decided: legitimate').waitFor();
  expect(await inspect(page, 'review-partial-1280-light')).toEqual([]);
  const states = await Promise.all(ids.map((id) => read(`/v1/reviews/${id}`)));
  expect(states.map(({ state }) => state)).toEqual(['decided', 'decided', 'claimed', 'open']);
});

test('a transaction is marked as fraud once, and then as legitimate', async () => {
  const sent = await shown.engine.api.post('/v1/transactions', input({ account_id: 'acc_mark' }));
  const id: string = (await answerOf(sent)).body.transaction_id;
  const labels = async () =>
    (await read(`/v1/transactions/${id}?expand=labels`)).labels.items.map(
      ({ label, source, note }: Readonly<Record<string, string>>) => [label, source, note],
    );
  await using page = await logIn('Ann');
  await open(page, `/transactions/${id}`);
  await page.getByRole('button', { name: 'Mark as fraud' }).click();
  const dialog = page.getByRole('dialog', { name: 'Mark as fraud' });
  await dialog.getByLabel('Reason').fill('Seen on a forum');
  // The API stores the label, and its answer is lost.
  await page.route('**/v1/labels', async (route) => {
    await route.fetch();
    await route.abort();
  });
  await page.keyboard.press('Enter');
  await dialog.getByText('no answer came').waitFor();
  await page.unroute('**/v1/labels');
  await page.keyboard.press('Enter');
  await dialog.waitFor({ state: 'detached' });
  await page.getByText('Seen on a forum', { exact: true }).waitFor();
  await page.getByText(/^analyst, .*, by Ann$/).waitFor();
  expect(await labels()).toEqual([['fraud', 'analyst', 'Seen on a forum']]);
  await page.getByRole('button', { name: 'Mark as legitimate' }).click();
  await giveReason(page, 'Mistaken');
  await page.getByRole('button', { name: 'Mark as fraud' }).waitFor();
  expect((await labels()).length).toBe(2);
  const at = new Date().toISOString();
  const keyLabel = labelInput({ transaction_id: id, label: 'legitimate', labelled_at: at });
  await postLabels(shown.engine.api, [keyLabel]);
  await page.reload();
  await page.getByText('by a key of the client default, which belongs to no person').waitFor();
});
