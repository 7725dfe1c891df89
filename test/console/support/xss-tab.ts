/** A tab that notices whatever a text does beside being read: a script, a dialog, a request to elsewhere, markup, a breach of the policy. */
import type { Browser, Page } from 'playwright-core';
import { expect } from 'vitest';
import type { Engine } from './engine.ts';
import { logInTo } from './log-in.ts';
import type { Tab } from './pages.ts';

export type Trap = Tab & {
  readonly dialogs: readonly string[];
  /** Addresses beyond the engine that were asked. */
  readonly strangers: readonly string[];
};

/** A text that runs as a script calls `window.xss`. */
const COUNT_RUNS = 'window.ran = 0; window.xss = () => { window.ran += 1; }';

export async function openTrap(engine: Engine, browser: Browser): Promise<Trap> {
  const tab = await logInTo(engine, browser);
  const [dialogs, strangers]: [string[], string[]] = [[], []];
  tab.on('dialog', (dialog) => {
    dialogs.push(dialog.message());
    void dialog.dismiss();
  });
  tab.on('request', (request) => {
    if (!request.url().startsWith(engine.api.url)) strangers.push(request.url());
  });
  await tab.addInitScript(COUNT_RUNS);
  return Object.assign(tab, { dialogs, strangers });
}

/** Opens a page of the console, and waits until nothing of it is loading. */
export async function visit(engine: Engine, page: Page, path: string): Promise<void> {
  await page.goto(`${engine.api.url}/console${path}`);
  await page.locator('main h1').waitFor();
  const loading = () => page.locator('[aria-busy="true"]').count();
  await expect.poll(loading, { timeout: 30_000 }).toBe(0);
}

/** All text of the page, with titles that show on hover and the values of fields. */
const SHOWN = `[document.body.textContent,
  ...[...document.querySelectorAll(':is(input, select, textarea)')].map(({ value }) => value),
  ...[...document.querySelectorAll('[title]')].map(({ title }) => title)].join('\\n')`;
export const shownIn = async (page: Page) => String(await page.evaluate(SHOWN));

/** Marks of markup that came from text: nothing of the console makes these. */
const FOREIGN = [
  'script',
  'iframe',
  'img',
  'image',
  'video',
  'base',
  'style',
  'body',
  'animate',
  'math',
  'source',
  '[onerror]',
  '[onload]',
  '[onfocus]',
  '[onmouseover]',
  '[ontoggle]',
].join();
/** And links that lead elsewhere, or nowhere that is a page. */
const COUNT_FOREIGN = `document.querySelectorAll(${JSON.stringify(`#root :is(${FOREIGN})`)}).length +
  [...document.querySelectorAll('#root a')].filter((link) =>
    new URL(link.getAttribute('href'), location).origin !== location.origin).length`;

/** @param where is named by what fails */
export async function expectQuiet(trap: Trap, where: string): Promise<void> {
  const { faults, dialogs, strangers } = trap;
  expect([where, await trap.evaluate('window.ran')]).toEqual([where, 0]);
  expect([where, await trap.evaluate(COUNT_FOREIGN)]).toEqual([where, 0]);
  expect([where, ...dialogs, ...strangers, ...faults]).toEqual([where]);
}

/** Expects the texts as they were written, and that none of them does anything. */
export async function expectShown(trap: Trap, where: string, ...texts: string[]): Promise<void> {
  const missing = async () => {
    const shown = await shownIn(trap);
    return texts.filter((text) => !shown.includes(text));
  };
  await expect.poll(missing, { timeout: 15_000, message: where }).toEqual([]);
  await expectQuiet(trap, where);
}
