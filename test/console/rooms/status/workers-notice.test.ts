/** Goal: the overview says that no worker lives, and says nothing is fine. Method: the only worker is frozen and goes on. */
import { afterEach, expect, test } from 'vitest';
import { inspect, NARROW, settle, shoot } from '../../support/pages.ts';
import { setUpConsole } from '../../support/set-up.ts';

const shown = setUpConsole();
const SILENT_WITHIN_MS = 30_000;
// A failed test may have left the worker frozen.
afterEach(() => {
  shown.engine.worker.kill('SIGCONT');
});

test('a frozen worker makes the overview critical until it goes on', async () => {
  await using page = await shown.logIn();
  const corridors = page.getByRole('region', { name: 'Corridors' });
  await corridors.getByText('fine').first().waitFor();
  const notice = page.getByRole('status').filter({ hasText: 'No worker has reported for 10 s' });
  expect(await notice.count()).toBe(0);
  shown.engine.worker.kill('SIGSTOP');
  await notice.waitFor({ timeout: SILENT_WITHIN_MS });
  await corridors.getByText('no worker').first().waitFor();
  expect(await corridors.getByText('fine').count()).toBe(0);
  expect(await notice.getByRole('link', { name: 'Runbook' }).getAttribute('href')).toBe(
    '/docs/runbooks#noworkers',
  );
  expect(await inspect(page, 'no-worker-1280-light')).toEqual([]);
  await using phone = await shown.logIn({ viewport: NARROW, colorScheme: 'dark' });
  await settle(phone, 'No worker has reported for 10 s');
  await shoot(phone, 'no-worker-390-dark');
  await using analyst = await shown.logIn({}, await shown.engine.keyOf('analyst'));
  const told = analyst.getByRole('status').filter({ hasText: 'No worker has reported' });
  await told.getByRole('link', { name: 'Runbook' }).waitFor();
  expect(await told.getByRole('link', { name: 'Workers' }).count()).toBe(0);
  shown.engine.worker.kill('SIGCONT');
  await notice.waitFor({ state: 'detached', timeout: SILENT_WITHIN_MS });
  await corridors.getByText('fine').first().waitFor();
  await page.goto(`${shown.engine.api.url}/console/workers`);
});
