/** Walks through pages of the console in both widths and themes: each is complete, fits its width, and axe finds nothing. */
import type { Browser, Page } from 'playwright-core';
import { expect } from 'vitest';
import type { Engine } from './engine.ts';
import { heading } from './log-in.ts';
import { isWider, openTab, settle, shoot, type Tab, violationsOf } from './pages.ts';

/** A tab of somebody with this key, at a page whose heading this is. */
export async function logInAs(
  { api }: Pick<Engine, 'api'>,
  browser: Browser,
  key: string,
  [path, name]: readonly [path: string, name: string],
  options = {},
): Promise<Tab> {
  const tab = await openTab(browser, options);
  await tab.page.goto(`${api.url}/console${path}`);
  await tab.page.getByLabel('API key').fill(key);
  await tab.page.keyboard.press('Enter');
  await heading(tab.page, name).waitFor();
  return tab;
}

/** Photographs the page as it stands, whole; @returns what is wrong with it */
export async function inspect(page: Page, name: string): Promise<string[]> {
  await shoot(page, name);
  const found = (await violationsOf(page)).map((violation) => `${name}: ${violation}`);
  if (await isWider(page)) found.push(`${name}: wider than the screen`);
  return found;
}

export type Place = readonly [name: string, path: string, text: string];

/** @param places names of screenshots, paths, and what is there once the page is complete */
export async function walk(
  { api }: Engine,
  { page, faults }: Tab,
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
  expect(faults).toEqual([]);
}
