/**
 * Goal: the queue and its cases are whole at both widths and in both themes, and show each role what it may do. Method: disputed
 * transactions in a real engine, Chromium, axe, and a screenshot of each.
 */
import { describe, expect, test } from 'vitest';
import { waitUntil } from '../../../support/wait-until.ts';
import { cutOf, isWider, LOOKS, settle, shoot, violationsOf } from '../../support/pages.ts';
import { setUpConsole } from '../../support/set-up.ts';
import { giveReason, setUpReview, undoBar } from './support.ts';

const shown = setUpConsole();
const { open } = shown;
const { logIn, openCase, disputes, read } = setUpReview(shown);

describe.each(LOOKS)('at %s px, %s %s', (width, viewport, colorScheme) => {
  test('the queue and its cases are complete, and axe finds nothing', async () => {
    const [mine = '', rich = ''] = await disputes(
      { account_id: 'acc_an_account_with_a_very_long_name_0001', device_id: 'd'.repeat(60) },
      { account_id: `acc_look_${width}_${colorScheme}`, amount: '123456.78' },
    );
    await using page = await logIn('Bob', { viewport, colorScheme });
    await openCase(page, mine);
    await page.getByRole('button', { name: 'Claim' }).click();
    await page.getByText('You have it for').waitFor();
    const found: string[] = [];
    const look = async (name: string, path: string, text: string) => {
      await open(page, path);
      await settle(page, text);
      await shoot(page, `review-${name}-${width}-${colorScheme}`);
      found.push(...(await violationsOf(page)).map((violation) => `${name}: ${violation}`));
      if (await isWider(page)) found.push(`${name}: wider than the screen`);
      if (name === 'queue') found.push(...(await cutOf(page)).map((text) => `cut: ${text}`));
    };
    await shown.engine.api.testDatabase.sql(
      `update review_cases set opened_at = opened_at - interval '3 h', due_at = due_at - interval '3 h'
        where transaction_id = $1`,
      [rich],
    );
    await look('queue', '/review', 'older than 2 h');
    expect(await page.locator('.left.late').count()).toBeGreaterThan(0);
    await look('empty', '/review?account_id=nobody', 'No case matches');
    await look('mine', `/review/${mine}`, 'You have it for');
    await page.getByRole('button', { name: 'Fraud' }).click();
    await giveReason(page, 'A reason that takes several words to say, as they do');
    await undoBar(page).waitFor();
    await shoot(page, `review-undo-${width}-${colorScheme}`);
    found.push(...(await violationsOf(page)).map((violation) => `undo: ${violation}`));
    await look('high', `/review/${rich}`, 'Takes two people');
    await look('nowhere', '/review/01a1f84a-95c0-7000-8000-00000000002a', 'has no case');
    expect(found).toEqual([]);
  });
});

test('the page of an account has its cases, and what was decided', async () => {
  const account = 'acc_of_cases';
  const [waits = '', decided = ''] = await disputes(
    { account_id: account },
    { account_id: account },
  );
  await using page = await logIn('Ann');
  await openCase(page, decided);
  await page.getByRole('button', { name: 'Claim' }).click();
  await page.getByText('You have it for').waitFor();
  await page.keyboard.press('l');
  await giveReason(page, 'The holder knows it');
  await undoBar(page).waitFor();
  const { sql } = shown.engine.api.testDatabase;
  await sql(`update review_cases set final_at = now() where transaction_id = $1`, [decided]);
  await waitUntil(
    async () => (await read(`/v1/reviews/${decided}`)).state === 'closed',
    30_000,
    'the decision to be final',
  );
  await open(page, `/accounts/${account}`);
  const cases = page.getByRole('region', { name: 'Cases and decisions' });
  const rowOf = (state: string) => cases.locator('tr[data-index]', { hasText: state });
  await rowOf('closed').getByText('legitimate').waitFor();
  await rowOf('closed').getByText('Ann').waitFor();
  await rowOf('open').getByRole('link').click();
  await page.waitForURL((url) => url.pathname.endsWith(waits));
});

test('time left follows the clock of the API, whatever the browser’s says', async () => {
  const account = 'acc_clock';
  await disputes({ account_id: account });
  await using page = await logIn('Ann');
  await page.addInitScript('{ const now = Date.now; Date.now = () => now() + 3 * 3_600_000; }');
  await open(page, `/review?account_id=${account}`);
  await page.getByRole('link', { name: account }).waitFor();
  await expect.poll(() => page.locator('td .left').textContent()).toMatch(/^1 h 5\d min$/);
});

test('a queue that nobody looks at asks nothing, so that the session can end', async () => {
  await using page = await logIn('Dee');
  await page.clock.install();
  await open(page, '/review');
  await settle(page, 'Utilisation');
  let asked = 0;
  page.on('request', (request) => {
    if (request.url().includes('/v1/')) asked += 1;
  });
  const pass = async (ms: number) => {
    asked = 0;
    await page.clock.runFor(ms);
  };
  await pass(60_000);
  expect(asked).toBeGreaterThan(0);
  await pass(6 * 60_000);
  await pass(60_000);
  expect(asked).toBe(0);
  await page.mouse.move(400, 400);
  await pass(60_000);
  expect(asked).toBeGreaterThan(0);
});
