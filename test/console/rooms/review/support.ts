/** People who review cases in a browser, and what most tests of the review begin with. */
import type { Page } from 'playwright-core';
import { beforeAll, expect } from 'vitest';
import type { Role } from '../../../../src/kit/words/principal.ts';
import { insertPersonKey } from '../../../support/people.ts';
import { type Answer, answerOf } from '../../../support/submit.ts';
import { openDisputes } from '../../support/disputes.ts';
import type { Tab } from '../../support/pages.ts';
import type { Console } from '../../support/set-up.ts';

/** Long enough to be seen on a slow machine, and short enough that a lock is extended within a test. */
const POLICY = { undo_seconds: 90, lock_seconds: 30 };

const PEOPLE = {
  Ann: ['analyst'],
  Dee: ['analyst'],
  Bob: ['analyst', 'risk_officer'],
  Cy: ['risk_officer'],
} as const satisfies Readonly<Record<string, readonly Role[]>>;
type Person = keyof typeof PEOPLE;

export function setUpReview(shown: Console) {
  const keys = new Map<Person, string>();
  const read = async (path: string): Promise<Answer['body']> =>
    (await answerOf(await shown.engine.api.request(path))).body;
  beforeAll(async () => {
    const { testDatabase, request } = shown.engine.api;
    for (const name of ['Ann', 'Dee', 'Bob', 'Cy'] as const) {
      keys.set(name, await insertPersonKey(testDatabase, name, PEOPLE[name]));
    }
    const { policy } = await read('/v1/reviews/policy');
    const answer = await request('/v1/reviews/policy', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${keys.get('Bob')}` },
      body: JSON.stringify({ ...policy, ...POLICY }),
    });
    expect(answer.status).toBe(201);
  });
  return {
    /** Reads the API's answer to a path. */
    read,
    logIn: (name: Person, options = {}): Promise<Tab> => shown.logIn(options, keys.get(name)),
    openCase: async (page: Page, id: string): Promise<void> => {
      await shown.open(page, `/review/${id}`);
      await page.getByRole('heading', { name: 'Decision' }).waitFor();
    },
    /** Cases of P0, of small amounts unless the fields say otherwise. @returns the ids in order */
    disputes: (...transactions: Readonly<Record<string, unknown>>[]): Promise<string[]> =>
      openDisputes(
        shown.engine,
        transactions.map((fields) => ({ amount: '50.00', ...fields })),
      ),
  };
}

/** Answers the dialog that asks for a reason. */
export async function giveReason(page: Page, reason: string): Promise<void> {
  await page.getByRole('dialog').getByLabel('Reason').fill(reason);
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
}

export const undoBar = (page: Page) => page.locator('.undo-bar');
