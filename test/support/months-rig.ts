/** An API process, and functions that detach and attach months of its database as `risk partitions` does. */
import { afterAll } from 'vitest';
import {
  attachMonth,
  detachMonth,
  LOCK_WAIT_MS,
} from '../../src/core/store/partitions/detach-months.ts';
import type { Database } from '../../src/kit/database/pool.ts';
import { type Month, parseMonth } from '../../src/kit/words/month.ts';
import { engineOf } from '../../src/kit/words/principal.ts';
import { type RunningApi, startRunningApi } from './running-api.ts';
import { type Input, input, postOne } from './submit.ts';

export type Posted = { readonly sent: Input; readonly id: string };

export type MonthsRig = {
  readonly api: RunningApi;
  /** The database as the command opens it. */
  readonly operator: Database;
  /** A month as `2013-03`. */
  detach(text: string): Promise<boolean>;
  attach(text: string): Promise<number>;
  /** A transaction in this month. */
  post(text: string): Promise<Posted>;
  /** A transaction in a month that is then detached. */
  postAndDetach(text: string): Promise<Posted>;
};

/** A time in a month. */
export const timeIn = (text: string) => `${text}-07T08:09:10.123Z`;
export const monthOfText = (text: string): Month => parseMonth(text) ?? Number.NaN;

/** Awaited once at the top of a test file; ends after its tests. */
export async function startMonthsRig(): Promise<MonthsRig> {
  const api = await startRunningApi();
  const operator = api.testDatabase.open({ connectionsMax: 1, lockTimeoutMs: LOCK_WAIT_MS });
  const rig: MonthsRig = {
    api,
    operator,
    detach: (text) => detachMonth(operator, monthOfText(text)),
    attach: (text) => attachMonth(operator, monthOfText(text), engineOf('test')),
    async post(text) {
      const sent = input({ created_at: timeIn(text) });
      const { status, body } = await postOne(api, sent);
      if (status !== 201) throw new Error(`${status} ${JSON.stringify(body)}`);
      return { sent, id: String(body.transaction_id) };
    },
    async postAndDetach(text) {
      const posted = await rig.post(text);
      if (!(await rig.detach(text))) throw new Error(`${text} was detached before`);
      return posted;
    },
  };
  afterAll(async () => {
    await operator[Symbol.asyncDispose]();
    await api[Symbol.asyncDispose]();
  });
  return rig;
}
