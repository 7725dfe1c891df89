/** A tab that is logged in, by a link made with the key of the engine. */
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { answerOf } from '../../support/submit.ts';
import type { Engine } from './engine.ts';
import { openTab, type Tab } from './pages.ts';

/** @param key of the person who logs in; absent: the engine's, which has every role but those that approve */
export async function makeLinkTo({ api }: Pick<Engine, 'api'>, key?: string): Promise<string> {
  const headers: Record<string, string> =
    key === undefined ? {} : { Authorization: `Bearer ${key}` };
  const response = await api.request('/v1/sessions/links', { method: 'POST', headers });
  const { body } = await answerOf(response);
  return `${api.url}/console#login=${body.token}`;
}

/** The tab shows the overview. */
export async function logInTo(
  engine: Pick<Engine, 'api'>,
  browser: Browser,
  options: BrowserContextOptions = {},
  key?: string,
): Promise<Tab> {
  const tab = await openTab(browser, options);
  await tab.goto(await makeLinkTo(engine, key));
  await heading(tab, 'Overview').waitFor();
  return tab;
}

export const heading = (page: Page, name: string) => page.getByRole('heading', { level: 1, name });
