/**
 * Goal: a decision about several cases says which of them take a second person, and that person sees how many decisions wait, and
 * confirms them. Method: disputed transactions of one device in a real engine, and a Chromium for each person.
 */
import { expect, test } from 'vitest';
import { setUpConsole } from '../../support/set-up.ts';
import { giveReason, setUpReview, undoBar } from './support.ts';

const shown = setUpConsole();
const { open } = shown;
const { logIn, openCase, disputes } = setUpReview(shown);

test('of several cases the second person is told, counted and led to them', async () => {
  const [, rich = '', other = ''] = await disputes(
    ...['50.00', '9000.00', '8000.00'].map((amount, n) => ({
      ...{ amount, account_id: `acc_two_${n}`, merchant_id: `m_two_${n}`, device_id: 'd_two' },
    })),
  );
  await using first = await logIn('Ann');
  const { page } = first;
  await open(page, '/review?device_id=d_two');
  await page.getByRole('checkbox', { name: 'Select the case of acc_two_0' }).check();
  await page.getByRole('button', { name: 'All shown' }).click();
  await page.getByRole('button', { name: 'Decide 3' }).click();
  const dialog = page.getByRole('dialog', { name: 'Decide 3 cases at once' });
  await dialog.getByText('2 of them take two people.').waitFor();
  await dialog.getByText('Another person with the role risk officer confirms').waitFor();
  await dialog.getByRole('button', { name: 'Fraud', exact: true }).click();
  await giveReason(page, 'One hand');
  await undoBar(page)
    .getByText('a second person (risk officer) has to confirm 2 of them')
    .waitFor();
  const navigation = page.getByRole('navigation');
  expect(await navigation.getByRole('link', { name: 'to confirm' }).count()).toBe(0);

  await using second = await logIn('Bob');
  const badge = second.page
    .getByRole('navigation')
    .getByRole('link', { name: 'Review 2 to confirm' });
  await badge.waitFor();
  await openCase(second.page, rich);
  await second.page.getByRole('button', { name: 'Confirm fraud' }).click();
  await second.page.getByText('Confirmed by Bob').waitFor();
  await second.page.getByRole('navigation').getByText('1 to confirm').waitFor();
  await open(second.page, '/review?state=confirming');
  await second.page.getByRole('row', { name: /acc_two_2/ }).click();
  await second.page.waitForURL((url) => url.pathname.endsWith(other));
  await second.page.getByRole('button', { name: 'Confirm fraud' }).click();
  await second.page.getByText('Confirmed by Bob').waitFor();
  await second.page.getByRole('navigation').getByText('to confirm').waitFor({ state: 'detached' });
  expect([...first.faults, ...second.faults]).toEqual([]);
});
