/**
 * Goal: each page of the console works in a browser, for each role, by keyboard, within its policy, and without a fault that
 * axe finds. Method: an engine with a sample, Chromium, and a screenshot of each page in both themes and widths.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import { openCasesOf } from '../support/rooms/review/cases.ts';
import { heading } from './support/log-in.ts';
import {
  cutOf,
  inspect,
  isWider,
  LOOKS,
  OVERVIEW_COMPLETE,
  openTab,
  settle,
  shiftOf,
  shoot,
  violationsOf,
} from './support/pages.ts';
import { setUpConsole } from './support/set-up.ts';
import { makeTraffic } from './support/traffic.ts';

const shown = setUpConsole();
const { logIn, open } = shown;
beforeAll(async () => {
  await using tab = await logIn();
  await makeTraffic(shown.engine, tab);
  const { testDatabase, database } = shown.engine.api;
  await openCasesOf(testDatabase, database, [{}, {}, {}]);
});

/** Every page: its path, and what is there once it is complete. */
const PAGES: readonly (readonly [string, () => string, string | RegExp])[] = [
  ['overview', () => '/', OVERVIEW_COMPLETE],
  ['transactions', () => '/transactions?min_score=300', 'Score'],
  ['riskiest', () => '/transactions?sort=score&currency=USD', 'More filters'],
  ['no-transactions', () => '/transactions?account_id=nobody', 'No transaction matches'],
  ['refused', () => '/transactions?min_score=many', 'Invalid fields'],
  ['transaction', () => `/transactions/${shown.engine.riskiest[0]?.id}`, 'Neighbours'],
  ['account', () => `/accounts/${shown.engine.riskiest[0]?.account}`, 'Recent transactions'],
  ['merchant', () => `/merchants/${shown.engine.merchant}`, 'Recent transactions'],
  ['review', () => '/review', 'Utilisation'],
  ['dead-letters', () => '/dead-letters', 'Open, by error'],
  ['dead-letter', () => `/dead-letters?id=${shown.engine.deadLetterId}`, 'Purge …'],
  ['corridors', () => '/corridors', 'Last 7 days'],
  ['workers', () => '/workers', 'A silent worker'],
  ['no-webhooks', () => '/webhooks', 'No webhook is made yet'],
  ['models', () => '/models', 'm@1'],
  ['model', () => '/models/m%401', 'Decisions'],
  // The worker builds a table a minute after the start.
  ['scorecards', () => '/scorecards', /No table of the day is built yet| of 50 known frauds$/],
  ['audit', () => '/audit', 'rollout.approve'],
  ['keys', () => '/keys', 'API keys'],
  ['workload', () => '/workload', 'Officers at work'],
  ['rules', () => '/rules', 'Of declined payments'],
  ['corridor', () => '/corridors/US-EG', 'not independent'],
  ['backtests', () => '/backtests', 'Asked so far'],
  ['nowhere', () => '/nowhere', 'There is no such page'],
];

/** By Web Vitals. */
const SHIFT_MAX = 0.1;

describe.each(LOOKS)('at %s px, %s %s', (width, viewport, colorScheme) => {
  test('each page is complete, keeps its policy, and axe finds nothing', async () => {
    await using page = await logIn({ viewport, colorScheme });
    const found: string[] = [];
    for (const [name, path, text] of PAGES) {
      await open(page, path());
      await settle(page, text);
      await shoot(page, `${name}-${width}-${colorScheme}`);
      found.push(...(await violationsOf(page)).map((violation) => `${name}: ${violation}`));
      if (await isWider(page)) found.push(`${name}: wider than the screen`);
      if (name === 'audit') found.push(...(await cutOf(page)).map((text) => `cut: ${text}`));
      const shift = await shiftOf(page);
      if (shift >= SHIFT_MAX) found.push(`${name}: its layout shifts by ${shift}`);
    }
    expect(found).toEqual([]);
  });

  test('so is the login', async () => {
    await using page = await openTab(shown.browser, { viewport, colorScheme });
    await open(page, '/transactions');
    await page.getByLabel('API key').waitFor();
    expect(await inspect(page, `login-${width}-${colorScheme}`)).toEqual([]);
  });
});

describe('login', () => {
  test('by key goes on to the page that was asked for; logging out ends the session', async () => {
    await using page = await openTab(shown.browser);
    await open(page, '/corridors');
    await page.getByLabel('API key').fill('wrong');
    await page.keyboard.press('Enter');
    await page.getByText('unknown, revoked or expired').waitFor();
    await page.getByLabel('API key').fill(await shown.engine.keyOf('operator'));
    await page.keyboard.press('Enter');
    await heading(page, 'Corridors').waitFor();
    const cookies = await page.context().cookies();
    expect(cookies).toMatchObject([
      { name: '__Host-risk-session', httpOnly: true, secure: true, sameSite: 'Strict' },
    ]);
    expect(await page.evaluate('[document.cookie, ...Object.keys(localStorage)]')).toEqual(['']);
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.getByLabel('API key').waitFor();
    expect(await page.context().cookies()).toEqual([]);
  });

  test.each([
    [
      'analyst',
      'Overview Transactions Review Workload Corridors Controls Rules Backtests Lists Models Scorecards',
    ],
    [
      'operator',
      'Overview Workload Dead_letters Corridors Controls Workers Webhooks Rules Lists Models Scorecards',
    ],
    [
      'admin',
      'Overview Transactions Review Workload Dead_letters Corridors Controls Workers Webhooks Rules Backtests Lists Models Scorecards Audit Personal_data',
    ],
    ['ingest', 'Overview Corridors'],
    [
      'risk_officer',
      'Review Workload Controls Rules Backtests Lists Models Scorecards Audit Personal_data',
    ],
  ] as const)('as %s shows the pages of the role', async (role, names) => {
    const pages = [...names.split(' '), 'Keys and sessions'].map((name) => name.replace('_', ' '));
    await using page = await openTab(shown.browser);
    await open(page, '/keys');
    await page.getByLabel('API key').fill(await shown.engine.keyOf(role));
    await page.keyboard.press('Enter');
    await heading(page, 'Keys and sessions').waitFor();
    const links = await page.getByRole('navigation').getByRole('link').allTextContents();
    expect(links.map((name) => name.trim())).toEqual(pages);
    for (const name of pages) {
      await page.getByRole('link', { name, exact: true }).click();
      await heading(page, name).waitFor();
      expect(await page.getByRole('alert').count(), name).toBe(0);
    }
  });
});

describe('by keyboard', () => {
  test('an analyst searches, opens the first rows, and comes back to the search', async () => {
    await using page = await logIn();
    await page.keyboard.press('g');
    await page.keyboard.press('t');
    await heading(page, 'Transactions').waitFor();
    const account = shown.engine.riskiest[0]?.account ?? '';
    await page.keyboard.press('/');
    await page.keyboard.type(account);
    await page.keyboard.press('Enter');
    await page.waitForURL(/account_id=/);
    await page.keyboard.press('Escape');
    await page.getByRole('link', { name: account }).first().waitFor();
    await page.keyboard.press('j');
    await page.keyboard.press('j');
    await page.keyboard.press('k');
    const focused = () => page.evaluate(`document.activeElement?.closest('tr')?.dataset.index`);
    await expect.poll(focused).toBe('0');
    await page.keyboard.press('Enter');
    await heading(page, 'Transaction').waitFor();
    await page.goBack();
    await page.getByRole('link', { name: account }).first().waitFor();
    expect(await page.getByLabel('Account', { exact: true }).inputValue()).toBe(account);
  });

  test('? shows the keys, and Esc closes them', async () => {
    await using page = await logIn();
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keyboard' }).waitFor();
    expect(await violationsOf(page)).toEqual([]);
    await shoot(page, 'help-1280-light');
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
  });
});

test('an operator inspects a dead letter, and purges a group after a confirmation', async () => {
  await using page = await logIn();
  await open(page, '/dead-letters');
  await page.getByRole('link', { name: 'FEATURES_INVALID' }).first().click();
  const letter = page.getByRole('dialog', { name: 'Dead letter' });
  await letter.getByText('a test said so').waitFor();
  expect(await violationsOf(page)).toEqual([]);
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'purge FEATURES_INVALID in US-EG' }).click();
  const asked = page.getByRole('dialog', { name: 'Purge a group' });
  await asked.getByText('14 of FEATURES_INVALID').waitFor();
  await asked.getByRole('button', { name: 'Cancel' }).click();
  await page.getByRole('button', { name: 'purge FEATURES_INVALID in US-EG' }).click();
  await page.getByRole('button', { name: 'Purge', exact: true }).click();
  await page.getByText('14 purged.').waitFor();
});

test('a session that is ended elsewhere ends here', async () => {
  await using page = await logIn();
  await open(page, '/corridors');
  await heading(page, 'Corridors').waitFor();
  await shown.engine.api.testDatabase.sql(
    'update sessions set ended_at = now() where ended_at is null',
  );
  await page.locator('.connection.stale').waitFor();
  await page.keyboard.press('g');
  await page.keyboard.press('k');
  await page.getByLabel('API key').waitFor();
});
