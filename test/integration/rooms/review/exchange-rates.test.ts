/**
 * Goal: rates come in over HTTP, all or none, audited, from people who answer for the review; cases after that are rated.
 * Method: an API process, keys of each role, and a case as a worker opens it.
 */
import { expect, test } from 'vitest';
import type { Role } from '../../../../src/kit/words/principal.ts';
import { openForFile } from '../../../support/open-for-file.ts';
import { insertPersonKey } from '../../../support/people.ts';
import { openCasesOf } from '../../../support/rooms/review/cases.ts';
import { startRunningApi } from '../../../support/running-api.ts';
import { answerOf, send } from '../../../support/submit.ts';

const PATH = '/v1/exchange-rates';

const api = await openForFile(startRunningApi());

const post = (key: string, rates: readonly object[]) => send(api, 'POST', PATH, { rates }, key);

const keyOf = (name: string, role: Role) => insertPersonKey(api.testDatabase, name, [role]);
const stored = () =>
  api.testDatabase.sql('select currency, day::text, usd::text from exchange_rates order by 1, 2');

test('rates are added, corrected and audited, and rate the cases after them', async () => {
  const key = await keyOf('Bob', 'risk_officer');
  const egp = { day: '2026-11-19', currency: 'EGP', usd: '0.02' };
  const eur = { day: '2026-11-19', currency: 'EUR', usd: '1.05' };
  expect((await post(key, [egp, eur])).body).toEqual({ added: 2, changed: 0, unchanged: 0 });
  const again = await post(key, [{ ...eur, usd: '1.06' }, egp]);
  expect(again.body).toEqual({ added: 0, changed: 1, unchanged: 1 });
  expect(await stored()).toEqual([egp, { ...eur, usd: '1.06' }].map((rate) => ({ ...rate })));
  const audited = await api.testDatabase.sql(
    `select who, after ->> 'changed' as changed from audit_log where action = 'rates.import' order by audit_id`,
  );
  expect(audited).toEqual([
    { who: 'Bob', changed: '0' },
    { who: 'Bob', changed: '1' },
  ]);
  const [id] = await openCasesOf(api.testDatabase, api.database, [
    { currency: 'EGP', amount: '1000.00' },
  ]);
  const { body } = await answerOf(await api.request(`/v1/reviews/${id}`));
  expect(body).toMatchObject({
    market_amount: '20.00',
    market_currency: 'USD',
    rate_day: '2026-11-19',
  });
  expect(body.needs_second_person).toBe(false);
});
