/** An API process, and functions that detach and attach months of its database as `risk partitions` does. */
import { afterAll } from 'vitest';
import {
  attachMonth,
  detachMonth,
  LOCK_WAIT_MS,
} from '../../src/core/store/partitions/detach-months.ts';
import { type Month, parseMonth } from '../../src/kit/words/month.ts';
import { engineOf } from '../../src/kit/words/principal.ts';
import { startRunningApi } from './running-api.ts';
import { type Input, input, postOne } from './submit.ts';

export type Posted = { readonly sent: Input; readonly id: string };

/** A time in a month. */
export const timeIn = (text: string) => `${text}-07T08:09:10.123Z`;
export const monthOfText = (text: string): Month => parseMonth(text) ?? Number.NaN;

/** Awaited once at the top of a test file; ends after its tests. */
export async function startMonthsRig() {
  const api = await startRunningApi();
  /** The database as the command opens it. */
  const operator = api.testDatabase.open({ connectionsMax: 1, lockTimeoutMs: LOCK_WAIT_MS });
  afterAll(async () => {
    await operator[Symbol.asyncDispose]();
    await api[Symbol.asyncDispose]();
  });
  /** Detaches a month as `2013-03`. */
  const detach = (text: string) => detachMonth(operator, monthOfText(text));
  /** A transaction in this month. */
  const post = async (text: string): Promise<Posted> => {
    const sent = input({ created_at: timeIn(text) });
    const { status, body } = await postOne(api, sent);
    if (status !== 201) throw new Error(`${status} ${JSON.stringify(body)}`);
    return { sent, id: String(body.transaction_id) };
  };
  return {
    ...{ api, operator, detach, post },
    attach: (text: string) => attachMonth(operator, monthOfText(text), engineOf('test')),
    /** A transaction in a month that is then detached. */
    async postAndDetach(text: string) {
      const posted = await post(text);
      if (!(await detach(text))) throw new Error(`${text} was detached before`);
      return posted;
    },
  };
}
