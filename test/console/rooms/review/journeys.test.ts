/**
 * Goal: reviewers work through the queue by keyboard, take decisions back, confirm each other's, and learn
 * plainly when a case is somebody else's. Method: disputed transactions in a real engine, and a Chromium for each person.
 */
import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { heading } from '../../support/log-in.ts';
import { inspect, shoot } from '../../support/pages.ts';
import { setUpConsole } from '../../support/set-up.ts';
import { giveReason, setUpReview, undoBar } from './support.ts';

const shown = setUpConsole();
const { open } = shown;
const { read, logIn, openCase, disputes } = setUpReview(shown);

const SOON = { timeout: 60_000 };

test('an officer takes the next case, decides, takes it back, decides again and goes on', async () => {
  const corridor = 'US-PH';
  await disputes(...['acc_n1', 'acc_n2', 'acc_n3'].map((account_id) => ({ account_id, corridor })));
  await using page = await logIn('Ann');
  await page.keyboard.press('g');
  await page.keyboard.press('r');
  await heading(page, 'Review').waitFor();
  await page.getByRole('button', { name: 'P0' }).click();
  await page.getByLabel('Corridor').selectOption(corridor);
  await page.waitForURL(/priority=P0&corridor=US-PH/);
  await page.getByRole('link', { name: 'acc_n1' }).waitFor();
  await page.keyboard.press('n');
  await page.getByText('You have it for').waitFor();
  await page.keyboard.press('z');
  await undoBar(page).getByText('Nothing to undo.').waitFor();
  const first = page.url();
  await page.keyboard.press('f');
  const send = page.getByRole('dialog').getByRole('button', { name: 'Fraud' });
  expect(await send.isDisabled()).toBe(true);
  await page.keyboard.press('Enter');
  await page.getByRole('alert').getByText('A reason is needed').waitFor();
  await giveReason(page, 'The cardholder did not make it');
  await undoBar(page).getByText('Fraud: acc_n').waitFor();
  const left = async () => Number.parseInt((await page.getByRole('timer').textContent()) ?? '', 10);
  const before = await left();
  await expect.poll(left, SOON).toBeLessThan(before);
  await page.keyboard.press('z');
  await page.getByText('You have it for').waitFor();
  expect(page.url()).toBe(first);
  await page.keyboard.press('l');
  await giveReason(page, 'The cardholder remembers it');
  await undoBar(page).getByText('Legitimate: acc_n').waitFor();
  await shoot(page, 'review-decided-1280-light');
  await page.keyboard.press('n');
  await page.waitForURL((url) => url.href !== first);
  await page.getByText('You have it for').waitFor();
  await page.getByRole('link', { name: 'acc_n' }).first().waitFor();
  const one = await read(`/v1/reviews/${new URL(first).pathname.split('/').at(-1)}`);
  expect(one.decision).toMatchObject({
    ...{ disposition: 'legitimate', reason: 'The cardholder remembers it', decided_by: 'Ann' },
  });
  await page.keyboard.press('g');
  await page.keyboard.press('r');
  const shift = page.locator('dl[aria-label="Your shift"] dd');
  await expect.poll(() => shift.first().textContent(), SOON).toContain('1 legitimate');
  expect(await shift.last().textContent()).toMatch(/^1/);
});

test('a row is claimed by c, and opened by Enter', async () => {
  const ids = await disputes({ account_id: 'acc_key' }, { account_id: 'acc_key' });
  await using page = await logIn('Dee');
  await open(page, '/review?account_id=acc_key');
  await page.getByRole('link', { name: 'acc_key' }).first().waitFor();
  await page.keyboard.press('j');
  await page.keyboard.press('j');
  await page.keyboard.press('Enter');
  await page.getByText('Nobody has it').waitFor();
  await page.goBack();
  await page.getByRole('link', { name: 'acc_key' }).first().waitFor();
  await page.keyboard.press('j');
  const carried: (string | undefined)[] = [];
  page.on('request', (request) => carried.push(request.headers()['prefer']));
  await page.keyboard.press('c');
  await page.getByText('You have it for').waitFor();
  await expect.poll(() => carried, SOON).toContain('read=primary');
  const states = await Promise.all(ids.map((id) => read(`/v1/reviews/${id}`)));
  expect(states.map(({ state }) => state).toSorted()).toEqual(['claimed', 'open']);
});

test('much money, or an unknown amount, takes a second person, who confirms or gives it back', async () => {
  const [rich = '', unrated = ''] = await disputes(
    { account_id: 'acc_rich', amount: '9000.00' },
    { account_id: 'acc_egp', amount: '10.00', currency: 'EGP' },
  );
  await using first = await logIn('Ann');
  for (const [id, why] of [
    [rich, 'It is worth 9,000.00 USD, and from 5,000.00 USD on'],
    [unrated, 'No exchange rate of EGP is known'],
  ] as const) {
    await openCase(first, id);
    await first.getByText(why).waitFor();
    await first.keyboard.press('f');
    await giveReason(first, 'A stolen card');
    await first.getByText('It waits for another person').waitFor();
    expect(await first.getByRole('button', { name: 'Confirm' }).count()).toBe(0);
  }
  await using second = await logIn('Bob');
  const page = second;
  await open(page, '/review?state=confirming');
  await page.getByRole('row', { name: /acc_rich/ }).click();
  await page.getByText('A stolen card', { exact: true }).waitFor();
  expect(await inspect(page, 'review-confirming-1280-light')).toEqual([]);
  await page.getByRole('button', { name: 'Confirm fraud' }).click();
  await page.getByText('Confirmed by Bob').waitFor();
  await openCase(page, unrated);
  await page.getByRole('button', { name: 'Give it back' }).click();
  await giveReason(page, 'The receipt is missing');
  await page.getByText('Nobody has it').waitFor();
  expect(await read(`/v1/reviews/${rich}`)).toMatchObject({
    decision: { decided_by: 'Ann', confirmed_by: 'Bob' },
  });
});

describe('a case of which somebody else is faster', () => {
  test('is claimed by one of two browsers; the other says whose it is, and goes on', async () => {
    const [id = ''] = await disputes({ account_id: 'acc_race' }, { account_id: 'acc_race' });
    await using ann = await logIn('Ann');
    await using bob = await logIn('Bob');
    const pages = [ann, bob];
    for (const page of pages) {
      await openCase(page, id);
      await page.getByText('Nobody has it').waitFor();
    }
    await Promise.all(pages.map((page) => page.keyboard.press('c')));
    const refused = (page: Page) => page.getByRole('alert').getByText('has claimed it');
    const counts = async () =>
      await Promise.all(pages.map(async (page) => [await refused(page).count()]));
    await expect.poll(async () => (await counts()).flat().toSorted(), SOON).toEqual([0, 1]);
    const [annLost] = (await counts()).flat();
    const [winner, loser] = annLost === 1 ? [bob, ann] : [ann, bob];
    await winner.getByText('You have it for').waitFor();
    const name = annLost === 1 ? 'Bob' : 'Ann';
    await loser.getByRole('alert').getByText(`${name} has claimed it.`).waitFor();
    await expect.poll(() => loser.getByRole('button', { name: 'Fraud' }).isDisabled()).toBe(true);
    expect(await inspect(loser, 'review-lost-1280-light')).toEqual([]);
    await loser.getByRole('alert').getByRole('button', { name: 'Next case' }).click();
    await loser.waitForURL((url) => !url.pathname.endsWith(id));
    await loser.getByText('You have it for').waitFor();
  });

  test('a claim is extended while the page is used', async () => {
    const [id = ''] = await disputes({ account_id: 'acc_kept' });
    await using page = await logIn('Ann');
    await openCase(page, id);
    await page.keyboard.press('c');
    await page.getByText('You have it for').waitFor();
    const until = async () => Date.parse((await read(`/v1/reviews/${id}`)).locked_until);
    const first = await until();
    let x = 300;
    const use = async () => {
      x += 1;
      await page.mouse.move(x, 300);
      return await until();
    };
    await expect.poll(use, SOON).toBeGreaterThan(first);
  });
});

test('a case takes notes, an assignment, and a risk officer', async () => {
  const [id = ''] = await disputes({ account_id: 'acc_notes' });
  await using page = await logIn('Bob');
  await openCase(page, id);
  await page.getByLabel('Note').fill('Called the cardholder\nno answer');
  await page.getByRole('button', { name: 'Add note' }).click();
  await page.getByText('no answer').waitFor();
  await page.getByLabel('Assigned to').selectOption('Dee');
  await page.getByText('It is assigned to Dee.').waitFor();
  await page.getByLabel('Assigned to').selectOption('nobody');
  await page.getByText('Nobody has it').waitFor();
  await page.keyboard.press('e');
  await giveReason(page, 'It may be a ring');
  await page.getByText('escalated', { exact: true }).waitFor();
  await page.getByText('History').click();
  await page.getByText('assigned it to Dee').waitFor();
  expect(await inspect(page, 'review-history-1280-light')).toEqual([]);
  await using analyst = await logIn('Ann');
  await openCase(analyst, id);
  await analyst.getByText('Bob left it to a risk officer.').waitFor();
});

test('a transaction without a case gets one by hand', async () => {
  const { items } = await read('/v1/transactions?verdict=approve&limit=50');
  const cases = await Promise.all(
    items.map((one: { transaction_id: string }) => read(`/v1/reviews/${one.transaction_id}`)),
  );
  const index = cases.findIndex(({ status }) => status === 404);
  await using page = await logIn('Ann');
  await open(page, `/transactions/${items[index].transaction_id}`);
  await page.getByRole('button', { name: 'Open a case' }).click();
  await giveReason(page, 'A customer called');
  await heading(page, 'Case').waitFor();
  await page.getByText('opened by hand').waitFor();
  await page.getByText('A customer called').waitFor();
  await page.getByRole('link', { name: 'all that is known' }).click();
  await page.getByRole('link', { name: 'Case' }).waitFor();
});
