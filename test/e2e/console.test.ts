/** Goal: the console of a running API opens in a browser. Method: Chromium, where the machine has one; `npm run console:test` does the rest. */
import { expect, test } from 'vitest';
import { findChromium, launchChromium, MISSING } from '../console/support/chromium.ts';
import { openTab } from '../console/support/pages.ts';
import { startRunningApi } from '../support/running-api.ts';
import { answerOf } from '../support/submit.ts';

test('a link opens the console', async ({ skip }) => {
  if (findChromium() === undefined) return skip(MISSING);
  await using api = await startRunningApi();
  await using browser = await launchChromium();
  await using page = await openTab(browser);
  const link = await answerOf(await api.request('/v1/sessions/links', { method: 'POST' }));
  expect((await page.goto(`${api.url}/`))?.url()).toBe(`${api.url}/console`);
  await page.goto(`${api.url}/console#login=${link.body.token}`);
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
  await page.getByText('Live', { exact: true }).waitFor();
});
