/**
 * Goal: several cases are decided and taken back at once, by keys alone, and nobody keeps cases without knowing of them. Method:
 * disputed transactions in a real engine, in a Chromium.
 */
import { expect, test } from 'vitest';
import { shoot } from '../../support/pages.ts';
import { setUpConsole } from '../../support/set-up.ts';
import { giveReason, setUpReview, undoBar } from './support.ts';

const shown = setUpConsole();
const { open } = shown;
const { read, logIn, openCase, disputes } = setUpReview(shown);

test('selected cases are decided by keys alone, and taken back at once', async () => {
  const device = 'one-device-behind-many-accounts';
  const ids = await disputes(
    ...[1, 2, 3].map((n) => ({ account_id: `acc_k${n}`, device_id: device })),
  );
  const states = async () =>
    (await Promise.all(ids.map((id) => read(`/v1/reviews/${id}`)))).map((one) => one.state);
  await using page = await logIn('Ann');
  await open(page, `/review?device_id=${device}`);
  await page.getByRole('link', { name: 'acc_k3' }).waitFor();
  for (const key of ['j', 'x', 'j', 'x', 'j', 'x', 'd']) await page.keyboard.press(key);
  const dialog = page.getByRole('dialog', { name: 'Decide 3 cases at once' });
  await dialog.waitFor();
  // The first letters of a reason choose no decision, and are kept.
  await page.keyboard.type('same device');
  expect(await dialog.getByLabel('Reason').inputValue()).toBe('same device');
  await page.keyboard.press('Enter');
  expect(await dialog.locator('[aria-pressed="true"]').count()).toBe(0);
  await page.keyboard.press('Escape');
  // A closed dialog stays in the page for some milliseconds, in which a key opens no other.
  await page.locator('dialog').waitFor({ state: 'detached' });
  await page.keyboard.press('d');
  await dialog.waitFor();
  await page.keyboard.type('flate hours');
  await shoot(page, 'review-many-keys-1280-light');
  await page.keyboard.press('Enter');
  await undoBar(page).getByText('3 cases decided: fraud').waitFor();
  await page.locator('dialog').waitFor({ state: 'detached' });
  expect(new Set(await states())).toEqual(new Set(['decided']));
  expect(await read(`/v1/reviews/${ids[2]}`)).toMatchObject({
    decision: { disposition: 'fraud', reason: 'late hours' },
  });
  await page.keyboard.press('z');
  await undoBar(page)
    .getByText('The decision about 3 cases is taken back: 3 are open again.')
    .waitFor();
  expect(new Set(await states())).toEqual(new Set(['open']));
});

test('the next case is a claimed one first, and an undo after it releases what it claimed', async () => {
  const corridor = 'US-MX';
  const account = (n: number) => ({ account_id: `acc_own_${n}`, corridor });
  const [kept = ''] = await disputes(...[1, 2, 3].map(account));
  await using page = await logIn('Dee');
  const shownId = () => new URL(page.url()).pathname.split('/').at(-1) ?? '';
  const at = (id: string) => page.waitForURL((url) => url.pathname.endsWith(id));
  await openCase(page, kept);
  await page.keyboard.press('c');
  await page.getByText('You have it for').waitFor();
  await open(page, `/review?priority=P0&corridor=${corridor}`);
  await page.getByRole('link', { name: 'acc_own_1' }).waitFor();
  await page.keyboard.press('n');
  await at(kept);
  await page.getByText('You have it for').waitFor();
  await page.keyboard.press('l');
  await giveReason(page, 'It is usual');
  await undoBar(page).getByText('Legitimate: acc_own_1').waitFor();
  await page.keyboard.press('n');
  await page.waitForURL((url) => !url.pathname.endsWith(kept));
  await page.getByText('You have it for').waitFor();
  // The sample may have a case of the corridor that is due earlier than the others here.
  const next = shownId();
  await page.keyboard.press('z');
  await at(kept);
  await page.getByText('You have it for').waitFor();
  await expect.poll(async () => (await read(`/v1/reviews/${next}`)).state).toBe('open');
  expect((await read(`/v1/reviews/${kept}`)).state).toBe('claimed');
});
