/**
 * Goal: the console of an API with two markets shows one of them, live figures too, and another after a choice and a login.
 * Method: a browser, and the corridors of each market.
 */
import { expect, test } from 'vitest';
import { migrate } from '../../src/kit/database/migrations/migrate.ts';
import { openForFile } from '../support/open-for-file.ts';
import { RUNNING_API_KEY, spawnRunningApi } from '../support/running-api.ts';
import { answerOf } from '../support/submit.ts';
import { waitUntil } from '../support/wait-until.ts';
import { launchChromium } from './support/chromium.ts';
import { openTab } from './support/pages.ts';

const settings = { RISK_MARKETS: 'market_0,market_1', RISK_SCHEMA_WAIT_MS: '1000' };
const [api, browser] = [
  await openForFile(spawnRunningApi(settings)),
  await openForFile(launchChromium()),
];
const { url } = api.testDatabase;
await migrate({ url, market: 'market_1', corridors: ['JP-KR'] });
const isOpen = async () => {
  const { body } = await answerOf(await fetch(`${api.url}/readyz`));
  return body.markets.market_1.status === 'ready';
};
await waitUntil(isOpen, 10_000, 'market_1 to open');

test('a choice shows the other market, with a login of its own', async () => {
  await using page = await openTab(browser);
  const logIn = async () => {
    await page.getByLabel('API key').fill(RUNNING_API_KEY);
    await page.getByRole('button', { name: 'Log in' }).click();
  };
  const choice = page.getByLabel('Market');
  const corridorsOf = async () => {
    const seen = page.waitForResponse((answer) => answer.url().endsWith('/v1/live'));
    await page.goto(`${api.url}/console/corridors`);
    expect((await seen).status()).toBe(200);
    await page.getByRole('row').nth(1).waitFor();
    return await page.getByRole('main').textContent();
  };
  await page.goto(`${api.url}/console`);
  await logIn();
  expect(await choice.inputValue()).toBe('market_0');
  expect(await corridorsOf()).toContain('US-EG');
  await choice.selectOption('market_1');
  await logIn();
  expect(await choice.inputValue()).toBe('market_1');
  const other = await corridorsOf();
  expect(other).toContain('JP-KR');
  expect(other).not.toContain('US-EG');
  await page.goto(`${api.url}/console?market=market_0`);
  await logIn();
  expect(await choice.inputValue()).toBe('market_0');
});
