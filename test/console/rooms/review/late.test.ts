/**
 * Goal: an answer that comes late moves no page that a person has left or gone on with, says what it did, and is waited for with
 * words. Method: answers of a real engine that are kept back, and Chromium.
 */
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { waitUntil } from '../../../support/wait-until.ts';
import { heading } from '../../support/log-in.ts';
import { inspect } from '../../support/pages.ts';
import { setUpConsole } from '../../support/set-up.ts';
import { setUpReview } from './support.ts';

const shown = setUpConsole();
const { open } = shown;
const { read, logIn, disputes } = setUpReview(shown);

/** Longer than an answer may take that moves the page in any case. */
const LATE_MS = 1500;
const SOON = { timeout: 30_000 };

/** Keeps the answers of an operation back. @returns waits until the first is late, and hands the answers out */
async function keepBack(page: Page, path: string) {
  const { promise, resolve } = Promise.withResolvers<void>();
  let sentAtMs = Number.POSITIVE_INFINITY;
  await page.route(path, async (route) => {
    const response = await route.fetch();
    sentAtMs = Math.min(sentAtMs, Date.now());
    await promise;
    await route.fulfill({ response });
  });
  return {
    untilLate: () => waitUntil(() => Date.now() - sentAtMs > LATE_MS, 30_000, 'a late answer'),
    give: async () => {
      const answered = page.waitForResponse(path);
      resolve();
      await (await answered).finished();
    },
  };
}

const NEXT = '**/v1/reviews/next';
/** A queue with cases that no other test touches. */
const queueOf = async (page: Page, corridor: string, accounts: readonly string[]) => {
  const ids = await disputes(...accounts.map((account_id) => ({ account_id, corridor })));
  await open(page, `/review?priority=P0&corridor=${corridor}`);
  await page.getByRole('link', { name: accounts[0] ?? '' }).waitFor();
  return ids;
};
const accountOf = (page: Page) => page.getByLabel('Account', { exact: true });
const stateOf = async (id: string) => (await read(`/v1/reviews/${id}`)).state;

test('a late answer opens the next case for who waits for it, with words and by a second press too', async () => {
  await using page = await logIn('Ann');
  await queueOf(page, 'GB-NG', ['acc_wait']);
  const answers = await keepBack(page, NEXT);
  await page.keyboard.press('n');
  await page.getByText('Waiting for the next case').waitFor();
  expect(await inspect(page, 'review-waiting-1280-light')).toEqual([]);
  await answers.untilLate();
  await page.keyboard.press('n');
  await answers.give();
  await page.getByText('You have it for').waitFor();
});

test('a page that has been left is not moved, and the case that nobody sees is released', async () => {
  await using page = await logIn('Ann');
  const [id = ''] = await queueOf(page, 'SA-EG', ['acc_left_1']);
  const answers = await keepBack(page, NEXT);
  await page.keyboard.press('n');
  await expect.poll(() => stateOf(id), SOON).toBe('claimed');
  await page.keyboard.press('g');
  await page.keyboard.press('t');
  await heading(page, 'Transactions').waitFor();
  await answers.give();
  await expect.poll(() => stateOf(id), SOON).toBe('open');
  expect(new URL(page.url()).pathname).toBe('/console/transactions');
});

test('a page on which the person has gone on is not moved, and offers the case', async () => {
  await using page = await logIn('Ann');
  const [id = ''] = await queueOf(page, 'AE-IN', ['acc_on_1']);
  const answers = await keepBack(page, NEXT);
  await page.keyboard.press('n');
  await answers.untilLate();
  await accountOf(page).fill('acc_o');
  await answers.give();
  const notice = page.getByRole('alert');
  await notice.getByText('the case of acc_on_1, 50.00 USD, is claimed for you.').waitFor();
  expect(new URL(page.url()).pathname).toBe('/console/review');
  expect(await accountOf(page).inputValue()).toBe('acc_o');
  expect(await inspect(page, 'review-late-1280-light')).toEqual([]);
  await notice.getByRole('link', { name: 'Open it' }).click();
  await page.waitForURL((url) => url.pathname.endsWith(id));
  await page.getByText('You have it for').waitFor();
});
