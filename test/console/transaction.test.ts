/**
 * Goal: an analyst sees a transaction among those of its account, compared with them and beside who shares its device, asks what
 * it would have scored, and reads where the score comes from. Method: an engine with a sample, and Chromium.
 */
import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { answerOf, input } from '../support/submit.ts';
import { heading } from './support/log-in.ts';
import { inspect, isWider, LOOKS, NARROW, shoot, violationsOf } from './support/pages.ts';
import { setUpConsole } from './support/set-up.ts';

const shown = setUpConsole();
const { logIn } = shown;
/** The riskiest that names a device. */
let id: string;
let device: string;
beforeAll(async () => {
  for (const risky of shown.engine.riskiest) {
    const one = await read(`/v1/transactions/${risky.id}`);
    if (one.device_id === null) continue;
    [id, device] = [one.transaction_id, one.device_id];
    break;
  }
});

const read = async (path: string) => (await answerOf(await shown.engine.api.request(path))).body;

async function open(page: Page, path: string): Promise<void> {
  await page.goto(`${shown.engine.api.url}/console${path}`);
  await page.locator('main h1').waitFor();
  const loading = () => page.locator('[aria-busy="true"]').count();
  await expect.poll(loading, { timeout: 30_000 }).toBe(0);
}

const stems = (page: Page) => page.getByRole('group', { name: /over time/ }).getByRole('link');

test('the account over time is a picture that the keyboard walks, and a table', async () => {
  await using page = await logIn();
  await open(page, `/transactions/${id}`);
  const { neighbours } = await read(`/v1/transactions/${id}?expand=neighbours`);
  const near: readonly { transaction_id: string }[] = neighbours.account.items;
  expect(await stems(page).count()).toBe(near.length + 1);
  const table = page.getByRole('region', { name: 'Neighbours by account' });
  expect(await table.locator('tr[data-index]').count()).toBe(near.length);
  const own = page.locator('.stem[aria-current="true"]');
  expect(await own.getAttribute('aria-label')).toContain('This transaction');
  await own.focus();
  await page.keyboard.press('Home');
  const focused = page.locator('.stem:focus');
  const oldest = await focused.getAttribute('aria-label');
  expect(await page.locator('.timeline output').textContent()).toBe(oldest);
  await page.keyboard.press('ArrowRight');
  expect(await focused.getAttribute('data-at')).toBe('1');
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('Enter');
  const first = near.at(-1)?.transaction_id ?? '';
  await page.waitForURL((url) => url.pathname.endsWith(first));
});

test('features are compared with those of earlier transactions, and an account without any says so', async () => {
  await using page = await logIn();
  await open(page, `/transactions/${id}`);
  const habit = await read(`/v1/scores/${id}/habit`);
  await page.getByText(`the account's ${habit.transactions} scored transactions before`).waitFor();
  const facts = page.locator('.unusual li');
  expect(await facts.count()).toBeLessThanOrEqual(5);
  for (const fact of await facts.allTextContents()) {
    expect(fact).toMatch(/: .+\. Before: (always (yes|no)|usually .+, at (most|least) .+)\.$/);
  }
  await page.getByText('All features').click();
  const rows = page.getByRole('region', { name: 'Features', exact: true });
  await rows.getByText('amount_log', { exact: true }).waitFor();
  const first = await shown.engine.api.post('/v1/transactions', input({ account_id: 'acc_first' }));
  const { body } = await answerOf(first);
  const isScored = async () => (await read(`/v1/transactions/${body.transaction_id}`)).status;
  await expect.poll(isScored, { timeout: 30_000 }).toBe('scored');
  await open(page, `/transactions/${body.transaction_id}`);
  await page.getByText('Nothing to compare with').waitFor();
  await page.getByText('It is alone').waitFor();
});

test('a what-if says what the API says, names a field that is refused, and is reset', async () => {
  await using page = await logIn();
  await open(page, `/transactions/${id}`);
  const ask = page.getByRole('button', { name: 'What would it score?' });
  expect(await ask.isDisabled()).toBe(true);
  const amount = page.getByLabel('Amount', { exact: true });
  const stored = await amount.inputValue();
  expect(await page.getByLabel(/^Created \(UTC/).inputValue()).toMatch(
    /^\d{4}-\d\d-\d\d \d\d:\d\d/,
  );
  await amount.fill('1.00');
  await page.getByLabel('Device', { exact: true }).fill('');
  await ask.click();
  const changes = { amount: '1.00', device_id: null };
  const answered = await shown.engine.api.post(`/v1/transactions/${id}/what-if`, changes);
  const { body: expected } = await answerOf(answered);
  expect(expected.score).not.toBe(expected.stored.score);
  const answer = page.locator('.compared');
  await answer.waitFor();
  expect(await answer.locator('strong').textContent()).toBe(String(expected.score));
  expect(await answer.textContent()).toContain(`It scored ${expected.stored.score}`);
  const moved = page.getByRole('region', { name: 'Features that move' });
  expect(await moved.locator('tr[data-index]').count()).toBe(expected.features.length);
  await answer.scrollIntoViewIfNeeded();
  expect(await inspect(page, 'what-if-1280-light')).toEqual([]);
  await page.setViewportSize(NARROW);
  await answer.scrollIntoViewIfNeeded();
  await shoot(page, 'what-if-390-light');
  expect(await isWider(page)).toBe(false);
  await amount.fill('plenty');
  await page.keyboard.press('Enter');
  const refused = page.getByRole('alert');
  await refused.getByText('must be a positive decimal string').waitFor();
  await page.getByRole('button', { name: 'Reset' }).click();
  expect(await amount.inputValue()).toBe(stored);
  expect(await refused.count()).toBe(0);
});

test('who shares its device, address or merchant is a graph of links', async () => {
  await using page = await logIn();
  await open(page, `/transactions/${id}`);
  const others = page.getByRole('list', { name: 'Other accounts seen with it' });
  const link = others.getByRole('link').first();
  expect(await link.getAttribute('aria-label')).toMatch(/with the same (device|address|merchant)/);
  await link.click();
  await heading(page, 'Account').waitFor();
  await page.goBack();
  await page.getByRole('list', { name: 'What it shares' }).getByRole('link').first().click();
  await heading(page, 'Device').waitFor();
});

test('reasons name the currency of money, rules have one spelling, and the figures of a rule have an address', async () => {
  await using page = await logIn();
  const isMoney = ({ detail }: { detail: string }) => /^Amount .* usual \d+\.\d\d/.test(detail);
  const explained = await Promise.all(
    shown.engine.riskiest.map((one) => read(`/v1/scores/${one.id}/explanation`)),
  );
  const { score, rules } = explained.find((one) => one.score.reasons.some(isMoney));
  await open(page, `/transactions/${score.transaction_id}`);
  await page
    .getByText(/^Amount [\d,]+\.\d\d [A-Z]{3} is .* usual [\d,]+\.\d\d [A-Z]{3}/)
    .first()
    .waitFor();
  const isTold = (rule: { fired: boolean; weight: number }) => rule.fired || rule.weight !== 0;
  const told = rules.filter(isTold);
  const table = page.getByRole('region', { name: 'Rules', exact: true });
  await expect.poll(() => table.locator('tr[data-index]').count()).toBe(told.length);
  const quiet = page.getByRole('region', { name: 'Quiet rules' });
  expect(await quiet.count()).toBe(0);
  await page.getByText(`${rules.length - told.length} rules that did not fire`).click();
  await expect.poll(() => quiet.locator('tr[data-index]').count()).toBe(rules.length - told.length);
  const [{ code }] = rules.filter(({ fired }: { fired: boolean }) => fired);
  const name = code.toLowerCase().replaceAll('_', ' ');
  await table.getByRole('link', { name, exact: true }).click();
  await page.waitForURL((url) => url.search === `?rule=${code}`);
  await page.getByRole('dialog', { name }).getByText(code).waitFor();
  await page.goBack();
  await heading(page, 'Transaction').waitFor();
  await open(page, '/rules');
  await page.getByRole('button', { name, exact: true }).click();
  await page.getByRole('dialog', { name }).waitFor();
  await page.goBack();
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await heading(page, 'Rules').waitFor();
});

test('a device has its windows, its days and who uses it', async () => {
  await using page = await logIn();
  await open(page, `/devices/${encodeURIComponent(device)}`);
  const profile = await read(`/v1/devices/${encodeURIComponent(device)}/profile`);
  const windows = page.getByRole('region', { name: 'Activity by window' });
  expect(await windows.locator('tr[data-index]').count()).toBe(profile.windows.length);
  await page.getByRole('img', { name: /^Transactions a day, the last 30 days/ }).waitFor();
  const users = page.getByRole('region', { name: 'Accounts on it' });
  await users.getByRole('link').first().click();
  await heading(page, 'Account').waitFor();
  await page.getByRole('link', { name: 'Cases' }).click();
  await heading(page, 'Review').waitFor();
  expect(page.url()).toContain('account_id=');
  await open(page, '/devices/nobody');
  await page.getByText('Not found').waitFor();
  await open(page, '/transactions/01a1f84a-95c0-7000-8000-00000000002a');
  await page.getByText('Not found').waitFor();
  await page.waitForLoadState('networkidle');
  expect(await page.getByRole('button', { name: 'Open a case' }).count()).toBe(0);
});

describe.each(LOOKS)('at %s px, %s %s', (width, viewport, colorScheme) => {
  test('each part keeps the policy and the screen, and axe finds nothing', async () => {
    await using page = await logIn({ viewport, colorScheme });
    const found: string[] = [];
    for (const [name, path] of [
      ['transaction-whole', `/transactions/${id}`],
      ['device', `/devices/${encodeURIComponent(device)}`],
      ['account-days', `/accounts/${shown.engine.riskiest[0]?.account}`],
      ['filters', '/transactions?verdict=decline'],
    ] as const) {
      await open(page, path);
      await shoot(page, `${name}-${width}-${colorScheme}`, { isWhole: true });
      for (const picture of ['.timeline', '.graph']) {
        if ((await page.locator(picture).count()) === 0) continue;
        await page.locator(picture).scrollIntoViewIfNeeded();
        await shoot(page, `${picture.slice(1)}-${width}-${colorScheme}`);
      }
      found.push(...(await violationsOf(page)).map((violation) => `${name}: ${violation}`));
      if (await isWider(page)) found.push(`${name}: wider than the screen`);
    }
    expect(found).toEqual([]);
  });
});
