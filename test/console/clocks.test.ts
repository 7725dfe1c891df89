/**
 * Goal: a page says which time it sends, with its offset, before the page sends it, in each field of a time. Method: browsers in zones
 * whose clocks are put forward and back, and a browser whose clock is wrong.
 */
import type { Page, Request } from 'playwright-core';
import { expect, test } from 'vitest';
import { HOUR_MS } from '../../src/kit/words/range.ts';
import { answerOf, input } from '../support/submit.ts';
import { heading } from './support/log-in.ts';
import { isWider, NARROW, shoot, violationsOf } from './support/pages.ts';
import { setUpConsole } from './support/set-up.ts';

const shown = setUpConsole();
const { logIn, open } = shown;
const BERLIN = { timezoneId: 'Europe/Berlin', locale: 'en-US' };

/** The body of the next request of a method to a path. */
async function bodyOf(page: Page, method: string, path: RegExp, act: () => Promise<unknown>) {
  const isIt = (request: Request) =>
    request.method() === method && path.test(new URL(request.url()).pathname);
  const [request] = await Promise.all([page.waitForRequest(isIt), act()]);
  return request.postDataJSON();
}

/** Scores a payment of a time. */
async function scoredAt(created_at: string): Promise<string> {
  const sent = await shown.engine.api.post('/v1/transactions', input({ created_at }));
  const id = String((await answerOf(sent)).body.transaction_id);
  const status = async () => (await shown.engine.api.request(`/v1/scores/${id}`)).status;
  await expect.poll(status, { timeout: 30_000 }).toBe(200);
  return id;
}

test.each([
  ['From', 'from'],
  ['Until', 'to'],
  ['Received from', 'received_from'],
  ['Received until', 'received_to'],
  ['Scored from', 'scored_from'],
  ['Scored until', 'scored_to'],
])(
  'the filter %s shows the time that it sends, in the gap and in the overlap',
  async (label, name) => {
    await using page = await logIn(BERLIN);
    await open(page, '/transactions');
    await page.getByText('More filters').click();
    const field = page.getByLabel(new RegExp(`^${label} \\(UTC`));
    const sent = () => new URL(page.url()).searchParams.get(name);
    await field.fill('2026-03-29 02:30');
    await page
      .getByText('Europe/Berlin has no 2026-03-29 02:30: 2026-03-29 03:30 UTC+2 is sent.')
      .waitFor();
    expect(sent()).toBe(null);
    await page.keyboard.press('Enter');
    await expect.poll(sent).toBe('2026-03-29T01:30:00Z');
    expect(await page.getByLabel(`${label} (UTC+2)`, { exact: true }).inputValue()).toBe(
      '2026-03-29 03:30',
    );
    await field.fill('2026-10-25 02:30');
    await page.getByText('2026-10-25 02:30 UTC+2 is sent, unless you add UTC+1.').waitFor();
    await field.fill('2026-10-25 02:30 UTC+1');
    await page.keyboard.press('Enter');
    await expect.poll(sent).toBe('2026-10-25T01:30:00Z');
    await page.reload();
    expect(await page.getByLabel(`${label} (UTC+1)`, { exact: true }).inputValue()).toBe(
      '2026-10-25 02:30 UTC+1',
    );
  },
);

test('a range within the hour that comes twice is told with both offsets, and a day ends at its midnight', async () => {
  await using page = await logIn(BERLIN);
  await open(page, '/transactions?from=2026-10-25T01:30:00Z&to=2026-10-25T00:45:00Z');
  await page
    .getByText('From, 2026-10-25 02:30 UTC+1, must lie before Until, 2026-10-25 02:45 UTC+2.')
    .waitFor();
  await page.getByRole('button', { name: 'Clear' }).click();
  await page.getByLabel(/^Until \(UTC/).fill('2026-11-25');
  await page.getByText('2026-11-25 00:00 UTC+1').waitFor();
  expect(await violationsOf(page)).toEqual([]);
  await shoot(page, 'clocks-1280-light');
  await page
    .getByText('Times are of Europe/Berlin, UTC+1 in January, UTC+2 in July.')
    .first()
    .waitFor();
  await page.setViewportSize(NARROW);
  expect(await isWider(page)).toBe(false);
});

test('a what-if sends the hour that it shows: of a summer, and of the later of two hours', async () => {
  const [summer, later] = await Promise.all(
    ['2026-07-01T10:00:00Z', '2025-10-26T01:30:00Z'].map(scoredAt),
  );
  await using page = await logIn(BERLIN);
  const send = async (typed: string, said: string) => {
    await page.getByLabel(/^Created \(UTC/).fill(typed);
    await page.getByText(said).waitFor();
    const ask = page.getByRole('button', { name: 'What would it score?' });
    return await bodyOf(page, 'POST', /\/what-if$/, () => ask.click());
  };
  await open(page, `/transactions/${summer}`);
  const created = page.getByLabel('Created (UTC+2)', { exact: true });
  expect(await created.inputValue()).toBe('2026-07-01 12:00');
  const moved = await send('2026-03-29 02:30', '2026-03-29 03:30 UTC+2 is sent.');
  expect(moved).toEqual({ created_at: '2026-03-29T01:30:00Z' });
  await open(page, `/transactions/${later}`);
  const ofLater = page.getByLabel('Created (UTC+1)', { exact: true });
  expect(await ofLater.inputValue()).toBe('2025-10-26 02:30 UTC+1');
  expect(await page.locator('main').textContent()).toContain('02:30:00 UTC+1');
  const minute = await send('2025-10-26 02:31 UTC+1', '2025-10-26 02:31 UTC+1');
  expect(minute).toEqual({ created_at: '2025-10-26T01:31:00Z' });
});

test('a key expires at the time that its form shows', async () => {
  await using page = await logIn({ ...BERLIN, timezoneId: 'Australia/Lord_Howe' });
  await open(page, '/keys');
  await page.getByRole('button', { name: 'Make a key' }).click();
  await page.getByRole('checkbox', { name: 'analyst' }).check();
  await page.getByLabel('Owner', { exact: true }).fill('payments team');
  await page.getByLabel(/^Expires \(UTC/).fill('2099-10-04 02:15');
  await page
    .getByText('Australia/Lord_Howe has no 2099-10-04 02:15: 2099-10-04 02:45 UTC+11 is sent.')
    .waitFor();
  const make = page.getByRole('button', { name: 'Make the key' });
  const body = await bodyOf(page, 'POST', /\/v1\/keys$/, () => make.click());
  expect(body.expires_at).toBe('2099-10-03T15:45:00Z');
});

test('a backtest shows the time by which its labels were known', async () => {
  await using page = await logIn({ ...BERLIN, timezoneId: 'America/St_Johns' });
  await open(page, '/backtests');
  await heading(page, 'Backtests').waitFor();
  await page.getByLabel(/^Labels known by \(UTC/).fill('2026-11-01 01:30');
  await page
    .getByText(
      'America/St_Johns has 2026-11-01 01:30 twice: 2026-11-01 01:30 UTC−2:30 is sent, unless you add UTC−3:30.',
    )
    .waitFor();
  const ask = page.getByRole('button', { name: 'Ask' });
  const body = await bodyOf(page, 'POST', /\/v1\/backtests$/, () => ask.click());
  expect(body.known_by).toBe('2026-11-01T04:00:00Z');
});

test('a browser whose clock is wrong ends a stop by the clock of the API', async () => {
  await using page = await logIn(BERLIN);
  await page.clock.setSystemTime(Date.now() + 48 * HOUR_MS);
  await open(page, '/controls');
  await page.getByText('Nothing is bounded').waitFor();
  await page.keyboard.press('c');
  await page.getByLabel('Scope', { exact: true }).selectOption('corridor:US-EG');
  await page.getByLabel('Ends after minutes').fill('30');
  await page.getByLabel('Reason').fill('payouts fail at the bank');
  const stop = () => page.keyboard.press('Enter');
  const body = await bodyOf(page, 'PUT', /\/v1\/controls\//, stop);
  expect(Math.abs(Date.parse(body.ends_at) - Date.now() - HOUR_MS / 2)).toBeLessThan(60_000);
});
