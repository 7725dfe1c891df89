/**
 * Goal: a page says within six seconds that its figures are stale, and is live once the API is back. A
 * page is never blank, its parts do not move, and it offers nothing that does not work. Method: an API as a process that is
 * stopped and started anew, a slow line, and a phone.
 */
import type { Page } from 'playwright-core';
import { afterAll, expect, test } from 'vitest';
import { freePort } from '../../src/tools/start/services/free-port.ts';
import { openForFile } from '../support/open-for-file.ts';
import { spawnRisk } from '../support/risk.ts';
import { RUNNING_API_KEY, spawnRunningApi } from '../support/running-api.ts';
import { waitUntil } from '../support/wait-until.ts';
import { launchChromium } from './support/chromium.ts';
import { heading, logInTo, makeLinkTo } from './support/log-in.ts';
import { inspect, openTab, shoot } from './support/pages.ts';

const FIRST_PAINT_MS = 1000;
const STALE_WITHIN_MS = 6000;
const BACK_WITHIN_MS = 30_000;
/** So much older than the silence rows are, at least: a poll of the API takes less. */
const OLDER_MS = 4000;

const port = await freePort();
const [api, browser] = [
  await openForFile(spawnRunningApi({ PORT: String(port) })),
  await openForFile(launchChromium()),
];
afterAll(() => {
  // A failed test may have left the API frozen.
  api.process.kill('SIGCONT');
});

const stale = (page: Page) =>
  page.getByText(/^Stale since \d\d:\d\d:\d\d$/).filter({ visible: true });
const live = (page: Page) => page.getByText('Live', { exact: true });
const colorOf = (page: Page, selector: string) =>
  page.evaluate(`getComputedStyle(document.querySelector('${selector}')).color`);
/** Seconds since midnight of a text that ends with HH:MM:SS. */
const secondsOf = (text: string) =>
  Number(text.slice(-8, -6)) * 3600 + Number(text.slice(-5, -3)) * 60 + Number(text.slice(-2));

test('a slow line shows within a second that the console loads', { retry: 2 }, async () => {
  await using page = await openTab(browser);
  const line = await page.context().newCDPSession(page);
  await line.send('Network.emulateNetworkConditions', {
    ...{ offline: false, latency: 100, downloadThroughput: 50_000, uploadThroughput: 50_000 },
  });
  await page.goto(`${api.url}/console`, { waitUntil: 'commit' });
  await page.getByText('Loading the console').waitFor({ timeout: FIRST_PAINT_MS });
  await shoot(page, 'slow-1280-light');
  await page.getByLabel('API key').waitFor();
  const firstMs = await page.evaluate(
    `performance.getEntriesByName('first-contentful-paint')[0]?.startTime`,
  );
  expect(Number(firstMs)).toBeLessThan(FIRST_PAINT_MS);
});

test('a page that failed is there with the next answer of the API', async () => {
  await using page = await logInTo({ api }, browser);
  await page.route('**/v1/rule-sets*', (route) => route.abort());
  await page.goto(`${api.url}/console/rules`);
  const banner = page.getByRole('alert').getByText('The API does not answer');
  await banner.waitFor();
  await page.unroute('**/v1/rule-sets*');
  await banner.waitFor({ state: 'detached' });
  await page.getByRole('region', { name: 'Rules' }).waitFor();
});

test('pages are stale while the API is frozen or gone, and live once it is back', async () => {
  await using page = await openTab(browser, { timezoneId: 'UTC' });
  await using second = await openTab(browser, { timezoneId: 'UTC' });
  await page.goto(await makeLinkTo({ api }));
  await heading(page, 'Overview').waitFor();
  await second.goto(await makeLinkTo({ api }));
  await heading(second, 'Overview').waitFor();
  await second.goto(`${api.url}/console/transactions`);
  await second.getByText('No transaction matches').waitFor();
  const rowsAtMs = Date.now();
  await waitUntil(() => Date.now() > rowsAtMs + OLDER_MS, 2 * OLDER_MS, 'rows to be older');
  await live(page).waitFor();
  const fresh = await colorOf(page, '.tiles strong');
  expect(await page.locator('.signals .badge.fine').count()).toBeGreaterThan(0);

  const frozenAtMs = Date.now();
  api.process.kill('SIGSTOP');
  await Promise.all([page, second].map((one) => stale(one).waitFor({ timeout: STALE_WITHIN_MS })));
  const since = secondsOf((await stale(page).textContent()) ?? '');
  // Rows may be older than the silence.
  const rows = secondsOf(new Date(rowsAtMs).toISOString().slice(11, 19));
  const shown = secondsOf((await stale(second).textContent()) ?? '');
  expect((rows - shown + 86_400) % 86_400).toBeLessThan(OLDER_MS / 1000);
  const frozen = secondsOf(new Date(frozenAtMs).toISOString().slice(11, 19));
  expect((frozen - since + 86_400) % 86_400).toBeLessThan(4);
  const grey = await colorOf(page, '.tiles .muted');
  expect(await colorOf(page, '.tiles strong')).toBe(grey);
  expect(grey).not.toBe(fresh);
  expect(await page.locator('.badge.fine').count()).toBe(0);
  expect(await inspect(page, 'stale-1280-light')).toEqual([]);
  api.process.kill('SIGCONT');
  await live(page).waitFor({ timeout: BACK_WITHIN_MS });
  await stale(second).waitFor({ state: 'detached', timeout: BACK_WITHIN_MS });
  expect(await colorOf(page, '.tiles strong')).toBe(fresh);

  api.process.kill('SIGKILL');
  await stale(page).waitFor({ timeout: STALE_WITHIN_MS });
  await api.process.exited;
  await using again = spawnRisk(['api'], {
    DATABASE_URL: api.testDatabase.url,
    REDIS_URL: api.redisService.url,
    RISK_BOOTSTRAP_KEY: RUNNING_API_KEY,
    PORT: String(port),
  });
  await again.waitFor(/"url":"(http:[^"]+)"/, BACK_WITHIN_MS);
  await live(page).waitFor({ timeout: BACK_WITHIN_MS });
  again.kill('SIGTERM');
  await again.exited;
});
