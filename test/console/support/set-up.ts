/** An engine and a Chromium for all tests of a file, and what most of them begin with. */
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll } from 'vitest';
import { launchChromium } from './chromium.ts';
import { type Engine, startEngine } from './engine.ts';
import { logInTo } from './log-in.ts';

export type Console = ReturnType<typeof setUpConsole>;

export function setUpConsole() {
  let engine: Engine | undefined;
  let browser: Browser | undefined;
  beforeAll(async () => {
    [engine, browser] = await Promise.all([startEngine(), launchChromium()]);
  });
  afterAll(async () => {
    await browser?.close();
    await engine?.[Symbol.asyncDispose]();
  });
  const begun = <T>(one: T | undefined): T => {
    if (one === undefined) throw new Error('the set-up has not run');
    return one;
  };
  return {
    /** From `beforeAll` on. */
    get engine() {
      return begun(engine);
    },
    get browser() {
      return begun(browser);
    },
    /** A tab that shows the overview. @param key of the person; absent: the engine's */
    logIn: (options?: BrowserContextOptions, key?: string) =>
      logInTo(begun(engine), begun(browser), options, key),
    /** Opens a page of the console by its path. */
    open: (page: Page, path: string) => page.goto(`${begun(engine).api.url}/console${path}`),
  };
}
