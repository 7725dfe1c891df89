/**
 * Goal: the cases of a ring are decided and taken back at once, by keys alone, and nobody keeps cases without knowing of them.
 * Method: disputed transactions of one device in a real engine, in a Chromium.
 */
import { expect, test } from 'vitest';
import { shoot, violationsOf } from '../../support/pages.ts';
import { setUpConsole } from '../../support/set-up.ts';
import { giveReason, setUpReview, undoBar } from './support.ts';

const shown = setUpConsole();
const { open } = shown;
const { read, logIn, openCase, disputes } = setUpReview(shown);

test('a ring is decided at once, and taken back at once', async () => {
  const device = 'one-device-behind-many-accounts';
  const ids = await disputes(
    ...Array.from({ length: 5 }, (_, n) => ({ account_id: `acc_ring_${n}`, device_id: device })),
  );
  const states = async () =>
    (await Promise.all(ids.map((id) => read(`/v1/reviews/${id}`)))).map((one) => one.state);
  await using tab = await logIn('Ann');
  const { page, faults } = tab;
  await openCase(page, ids[0] ?? '');
  const to = page.locator('.case-facts').getByTitle(device);
  expect(await to.getAttribute('href')).toBe(`/console/devices/${device}`);
  await page.getByRole('button', { name: 'Decide 5' }).first().click();
  const dialog = page.getByRole('dialog', { name: 'Decide 5 cases at once' });
  await dialog.getByText(device).waitFor();
  expect(await violationsOf(page)).toEqual([]);
  await shoot(page, 'review-ring-1280-light');
  const side = page.locator('.case-decision');
  expect(await side.evaluate((box) => box.scrollWidth - box.clientWidth)).toBe(0);
  await dialog.getByText('Together 250.00 USD').waitFor();
  const rows = dialog.getByRole('region', { name: 'Cases to decide' }).locator('tr[data-index]');
  expect(await rows.count()).toBe(5);
  await dialog.getByLabel('Reason').fill('Early');
  await page.keyboard.press('Enter');
  expect(await dialog.locator('[aria-pressed="true"]').count()).toBe(0);
  await dialog.getByRole('button', { name: 'Fraud', exact: true }).click();
  await giveReason(page, 'One device behind many accounts');
  await undoBar(page).getByText('5 cases of device').waitFor();
  expect(new Set(await states())).toEqual(new Set(['decided']));
  await page.keyboard.press('z');
  await undoBar(page)
    .getByText(`The decision about 5 cases of device ${device} is taken back: 5 are open again.`)
    .waitFor();
  expect(new Set(await states())).toEqual(new Set(['open']));
  expect(faults).toEqual([]);
});

test('a ring is decided by keys alone, and the first letters of a reason are kept', async () => {
  const ids = await disputes(
    ...Array.from({ length: 3 }, (_, n) => ({ account_id: `acc_k${n}`, device_id: 'keys' })),
  );
  await using tab = await logIn('Ann');
  const { page } = tab;
  await openCase(page, ids[0] ?? '');
  await page.getByRole('button', { name: 'Decide 3' }).first().waitFor();
  await page.keyboard.press('r');
  const dialog = page.getByRole('dialog', { name: 'Decide 3 cases at once' });
  await dialog.waitFor();
  await page.keyboard.type('same device');
  expect(await dialog.getByLabel('Reason').inputValue()).toBe('same device');
  await page.keyboard.press('Escape');
  // A closed dialog stays in the page for some milliseconds, in which a key opens no other.
  await page.locator('dialog').waitFor({ state: 'detached' });
  await page.keyboard.press('r');
  await dialog.waitFor();
  await page.keyboard.type('flate hours');
  await shoot(page, 'review-ring-keys-1280-light');
  await page.keyboard.press('Enter');
  await undoBar(page).getByText('3 cases of device keys decided: fraud').waitFor();
  expect(await read(`/v1/reviews/${ids[2]}`)).toMatchObject({
    decision: { disposition: 'fraud', reason: 'late hours' },
  });
  await page.keyboard.press('w');
  await page.keyboard.type('Called');
  expect(await page.getByLabel('Note').inputValue()).toBe('Called');
});

test('the next case is a claimed one first, and an undo after it releases what it claimed', async () => {
  const corridor = 'US-MX';
  const account = (n: number) => ({ account_id: `acc_own_${n}`, corridor });
  const [kept = '', ...others] = await disputes(...[1, 2, 3].map(account));
  await using tab = await logIn('Dee');
  const { page } = tab;
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
  const next = shownId();
  expect(others).toContain(next);
  await page.keyboard.press('z');
  await at(kept);
  await page.getByText('You have it for').waitFor();
  await expect.poll(async () => (await read(`/v1/reviews/${next}`)).state).toBe('open');
  expect((await read(`/v1/reviews/${kept}`)).state).toBe('claimed');
});
