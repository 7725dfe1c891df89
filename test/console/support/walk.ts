/** Walks through pages of the console in both widths and themes: each is complete, fits its width, and axe finds nothing. */
import type { Browser } from 'playwright-core';
import { expect } from 'vitest';
import type { Engine } from './engine.ts';
import { heading } from './log-in.ts';
import { inspect, openTab, settle, type Tab } from './pages.ts';

/** A tab of somebody with this key, at a page whose heading this is. */
export async function logInAs(
  { api }: Pick<Engine, 'api'>,
  browser: Browser,
  key: string,
  [path, name]: readonly [path: string, name: string],
  options = {},
): Promise<Tab> {
  const tab = await openTab(browser, options);
  await tab.goto(`${api.url}/console${path}`);
  await tab.getByLabel('API key').fill(key);
  await tab.keyboard.press('Enter');
  await heading(tab, name).waitFor();
  return tab;
}

export type Place = readonly [name: string, path: string, text: string];

/** @param places names of screenshots, paths, and what is there once the page is complete */
export async function walk(
  { api }: Engine,
  page: Tab,
  places: readonly Place[],
  look: string,
): Promise<void> {
  const found: string[] = [];
  for (const [name, path, text] of places) {
    await page.goto(`${api.url}/console${path}`);
    await settle(page, text);
    found.push(...(await inspect(page, `${name}-${look}`)));
  }
  expect(found).toEqual([]);
}
