/** A tab that is logged in, by a link made with the key of the engine. */
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { answerOf } from '../../support/submit.ts';
import type { Engine } from './engine.ts';
import { openTab, type Tab } from './pages.ts';

export async function makeLinkTo({ api }: Engine): Promise<string> {
  const { body } = await answerOf(await api.request('/v1/sessions/links', { method: 'POST' }));
  return `${api.url}/console#login=${body.token}`;
}

/** It shows the overview. */
export async function logInTo(
  engine: Engine,
  browser: Browser,
  options: BrowserContextOptions = {},
): Promise<Tab> {
  const tab = await openTab(browser, options);
  await tab.page.goto(await makeLinkTo(engine));
  await heading(tab.page, 'Overview').waitFor();
  return tab;
}

export const heading = (page: Page, name: string) => page.getByRole('heading', { level: 1, name });
