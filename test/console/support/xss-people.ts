/** People named by texts of the corpus: what they post, and what a tab of theirs opens. */
import type { Locator } from 'playwright-core';
import { beforeAll, expect } from 'vitest';
import { insertPersonKey } from '../../support/people.ts';
import { type Answer, answerOf } from '../../support/submit.ts';
import { waitUntil } from '../../support/wait-until.ts';
import type { Console } from './set-up.ts';
import { isName, XSS_CORPUS } from './xss-corpus.ts';
import { expectShown, openTrap, type Trap, visit } from './xss-tab.ts';

/** Every fifth text: a dialog shows a field as a page does, and the pages have them all. */
export const TEXTS = XSS_CORPUS.filter((text, at) => at % 5 === 0 && isName(text));
/** A person who is named as people are. */
export const OFFICER = 'Officer';
const ROLES = ['admin', 'risk_officer', 'analyst', 'operator'] as const;

/** @param others further names */
export function setUpPeople(shown: Console, others: readonly string[] = []) {
  const keys = new Map<string, string>();
  beforeAll(async () => {
    for (const name of [...TEXTS, OFFICER, ...others]) {
      keys.set(name, await insertPersonKey(shown.engine.api.testDatabase, name, ROLES));
    }
  });
  return {
    keyOf: (name: string) => keys.get(name),
    /** Posts as the person of this name. @returns the body of an answer that is no refusal */
    post: async (name: string, path: string, body: object = {}): Promise<Answer['body']> => {
      const headers = {
        'Content-Type': 'application/json',
        Authorization: `Bearer ${keys.get(name)}`,
      };
      const init = { method: 'POST', headers, body: JSON.stringify(body) };
      const answer = await answerOf(await shown.engine.api.request(path, init));
      expect(answer.status, JSON.stringify([path, body, answer.body])).toBeLessThan(300);
      return answer.body;
    },
    /** @param name null: nobody is logged in */
    openAs: (name: string | null = OFFICER) =>
      openTrap(shown.engine, shown.browser, name === null ? null : keys.get(name)),
    go: ({ page }: Trap, path: string) => visit(shown.engine, page, path),
  };
}

/** The dialog that a button opens shows the texts, and stays open. */
export async function opens(
  trap: Trap,
  button: Locator,
  title: string,
  ...texts: string[]
): Promise<Locator> {
  await button.click();
  const dialog = trap.page.getByRole('dialog', { name: title, exact: true });
  await dialog.waitFor();
  await expectShown(trap, title, ...texts);
  return dialog;
}

export async function closeDialog({ page }: Trap): Promise<void> {
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
}

/** Scrolls a table until it has what it makes in sight alone. */
export async function reach({ page }: Trap, table: string, what: Locator): Promise<void> {
  const region = page.getByRole('region', { name: table, exact: true });
  await region.evaluate((element) => element.scrollTo(0, 0));
  const isThere = async () => {
    if ((await what.count()) > 0) return true;
    await region.evaluate((element) => element.scrollBy(0, 300));
    return false;
  };
  await waitUntil(isThere, 15_000, 'a row of the table');
}
