/**
 * Goal: a scored transaction with other fields scores what it would have scored had it been submitted so, and unchanged what it
 * did score. Method: an API and a worker. Before a transaction is posted, `/v1/evaluate` says what each of its variants
 * would score; afterwards its what-ifs have to say the same, although the transaction, a sibling and labels are stored by then.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import { openForFile } from '../../../support/open-for-file.ts';
import { insertPersonKey } from '../../../support/people.ts';
import { startRollOut } from '../../../support/rolled-out.ts';
import { startRunningApi } from '../../../support/running-api.ts';
import {
  answerOf,
  type Input,
  input,
  labelInput,
  postLabels,
  send,
} from '../../../support/submit.ts';
import { waitUntil } from '../../../support/wait-until.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const END_MS = Math.floor(Date.now() / HOUR_MS) * HOUR_MS - DAY_MS;
/** More than a rebuild lists of a merchant, and of an account. */
const HISTORY = 1700;
const STEP_MS = (12 * DAY_MS) / HISTORY;
const BEGIN_MS = END_MS - 12 * DAY_MS;

const at = (ms: number) => new Date(ms).toISOString();

const api = await openForFile(startRunningApi());
const rollOut = await openForFile(startRollOut(api.testDatabase));
await openForFile(api.startWorker());
const analyst = await insertPersonKey(api.testDatabase, 'Ann', ['analyst']);
const history = Array.from({ length: HISTORY }, (_, n) => historical(n));
for (let from = 0; from < HISTORY; from += 850) {
  const posted = await api.post('/v1/transactions/batch', {
    transactions: history.slice(from, from + 850),
  });
  if (posted.status !== 200) throw new Error(await posted.text());
}
await scored(HISTORY);

/** Two busy accounts and 20 others at one busy merchant and nine others, with devices and countries. */
function historical(n: number): Input {
  return input({
    account_id: n % 3 === 0 ? 'acc_busy' : `acc_${n % 20}`,
    merchant_id: n % 10 === 0 ? `m_${n % 9}` : 'm_busy',
    amount: `${20 + (n % 37)}.${10 + (n % 80)}`,
    created_at: at(BEGIN_MS + n * STEP_MS),
    device_id: `device-${n % 7}`,
    country: n % 11 === 0 ? 'EG' : 'US',
  });
}

async function scored(count: number): Promise<void> {
  const isDone = async () => (await api.testDatabase.sql('select from scores')).length >= count;
  await waitUntil(isDone, 60_000, 'scores');
}

const askAs = (id: string, changes: object, key?: string) =>
  send(api, 'POST', `/v1/transactions/${id}/what-if`, changes, key);
const whatIf = (id: string, changes: object) => askAs(id, changes, analyst);
const read = async (path: string) => (await answerOf(await api.request(path))).body;

type Feature = { readonly name: string; readonly value: number | null };
type Decided = Record<'score' | 'risk' | 'probability' | 'verdict' | 'reasons', unknown>;
const decisionOf = ({ score, risk, probability, verdict, reasons }: Decided) => ({
  ...{ score, risk, probability, verdict, reasons },
});

/** A variant for each kind of change, with the fields that it changes. */
const VARIANTS: readonly (readonly [string, Input])[] = [
  ['amount', { amount: '4999.00' }],
  ['less', { amount: '1.00' }],
  ['currency', { currency: 'EUR' }],
  ['merchant', { merchant_id: 'm_3' }],
  ['account', { account_id: 'acc_7' }],
  ['country', { country: 'FR' }],
  ['no country', { country: null }],
  ['device', { device_id: 'device-new' }],
  ['no device', { device_id: null }],
  ['address', { ip: '203.0.113.9' }],
  ['corridor', { corridor: 'US-MX' }],
  ['an hour later', { created_at: at(BEGIN_MS + 6 * DAY_MS + HOUR_MS + 7) }],
  ['days later', { created_at: at(BEGIN_MS + 11.5 * DAY_MS + 7) }],
  ['at night, earlier', { created_at: at(BEGIN_MS + 5 * DAY_MS + 2 * HOUR_MS + 7) }],
  ['all', { amount: '900.00', merchant_id: 'm_3', country: 'FR', device_id: 'device-new' }],
];

/** Stores one in the middle of the history, and what its variants would have scored before it was stored. */
async function storeOne(model: string, atMs: number) {
  const one = {
    ...input({ account_id: 'acc_busy', merchant_id: 'm_busy', amount: '310.00', country: 'US' }),
    ...{ device_id: 'device-1', created_at: at(atMs) },
  };
  const expected = new Map<
    string,
    Decided & { readonly explanation: { readonly features: readonly Feature[] } }
  >();
  for (const [name, changes] of VARIANTS) {
    const given = Object.entries({ ...one, ...changes }).filter(([, value]) => value !== null);
    const answer = await api.post(`/v1/evaluate?model=${model}`, Object.fromEntries(given));
    const { status, body } = await answerOf(answer);
    expect([status, body.detail]).toEqual([200, undefined]);
    expected.set(name, body);
  }
  const before = (await api.testDatabase.sql('select from scores')).length;
  const { body } = await answerOf(await api.post('/v1/transactions', one));
  await scored(before + 1);
  const id: string = body.transaction_id;
  return { id, expected };
}

describe.each([
  ['none', BEGIN_MS + 6 * DAY_MS + 7],
  ['m@1', BEGIN_MS + 6 * DAY_MS + 600_013],
])('of a transaction that was judged by the model %s', (model, atMs) => {
  let id: string;
  let expected: Awaited<ReturnType<typeof storeOne>>['expected'];
  beforeAll(async () => {
    if (model !== 'none') {
      await rollOut.put(await rollOut.register(1), 'active');
      const isJudged = async () => {
        const before = (await api.testDatabase.sql('select from scores')).length;
        await api.post('/v1/transactions', input({ account_id: 'acc_other', merchant_id: 'm_o' }));
        await scored(before + 1);
        return (
          (await api.testDatabase.sql('select from scores where model is not null')).length > 0
        );
      };
      await waitUntil(isJudged, 20_000, 'a score by the model');
    }
    ({ id, expected } = await storeOne(model, atMs));
    const label = { transaction_id: id, labelled_at: at(BEGIN_MS + 7 * DAY_MS) };
    expect((await postLabels(api, [labelInput(label)])).status).toBe(200);
  });

  test.each(VARIANTS)(
    '%s: it says what submitting it so would have scored',
    async (name, changes) => {
      const { status, body } = await whatIf(id, changes);
      expect([status, body.detail]).toEqual([200, undefined]);
      const wanted = expected.get(name);
      expect(decisionOf(body)).toEqual(wanted && decisionOf(wanted));
      const features = new Map(
        (wanted?.explanation.features ?? []).map(({ name: feature, value }) => [feature, value]),
      );
      for (const { name: feature, value } of body.features) {
        expect([feature, value]).toEqual([feature, features.get(feature)]);
      }
      expect(body.changed.toSorted()).toEqual(Object.keys(changes).toSorted());
      const logged = (await read(`/v1/scores/${id}/explanation`)).features;
      const moved = logged.filter(
        ({ name: feature, value }: Feature) => features.get(feature) !== value,
      );
      expect(body.features.map((one: Feature) => one.name)).toEqual(
        moved.map((one: Feature) => one.name),
      );
    },
  );
});

test('a withdrawn currency is judged by the time of the payment', async () => {
  const before = (await api.testDatabase.sql('select from scores')).length;
  const paid = input({ account_id: 'acc_old', created_at: '2022-11-20T09:30:00Z' });
  const { body } = await answerOf(await api.post('/v1/transactions', paid));
  await scored(before + 1);
  const ofOld = await whatIf(body.transaction_id, { currency: 'HRK' });
  expect([ofOld.status, ofOld.body.changed]).toEqual([200, ['currency']]);
  const later = { currency: 'HRK', created_at: '2024-11-20T09:30:00Z' };
  const refused = await whatIf(body.transaction_id, later);
  expect([refused.status, refused.body.errors?.[0].pointer]).toEqual([422, '/currency']);
});

test('no change gives the stored score, also where more is known today', async () => {
  const { items } = await read('/v1/transactions?status=scored&limit=60');
  const judged = await api.testDatabase.sql<{ id: string }>(
    'select transaction_id as id from scores where model is not null',
  );
  const ids = [
    ...items.map((one: { transaction_id: string }) => one.transaction_id),
    ...judged.map(({ id }) => id),
  ];
  expect(judged.length).toBeGreaterThan(0);
  // A sibling of all of them that came late.
  const late = input({
    account_id: 'acc_busy',
    merchant_id: 'm_busy',
    created_at: at(END_MS - DAY_MS),
  });
  const before = (await api.testDatabase.sql('select from scores')).length;
  expect((await api.post('/v1/transactions', late)).status).toBe(201);
  await scored(before + 1);
  let knownLater = 0;
  for (const id of ids) {
    const stored = await read(`/v1/scores/${id}`);
    const { body } = await whatIf(id, {});
    expect(decisionOf(body)).toEqual(decisionOf(stored));
    expect(body).toMatchObject({
      ...{ changed: [], features: [], stored: decisionOf(stored) },
      ...{ rule_set: stored.rule_set, model: stored.model },
    });
    knownLater += body.known_later.length;
  }
  expect(knownLater).toBeGreaterThan(0);
});
