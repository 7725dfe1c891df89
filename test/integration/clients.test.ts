/**
 * Goal: a client reads, labels and waits for its own transactions alone; another client's transaction is answered exactly as
 * an unknown id. Method: an API process, keys of two clients, and transactions that each of them posted.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import { detachMonth } from '../../src/core/store/partitions/detach-months.ts';
import { monthOf } from '../../src/kit/words/month.ts';
import { openRunningApi } from '../support/running-api.ts';
import { idAt, storeDeadLetters, storeScoresOf } from '../support/stored-rows.ts';
import { type Answer, answerOf, count, type Input, input, labelInput } from '../support/submit.ts';

const CREATED_MS = Date.UTC(2026, 9, 1, 10);
const DETACHED_MS = Date.UTC(2015, 2, 9);

const api = await openRunningApi();
const shop = await makeCaller({ roles: ['ingest'], client: 'shop' });
const bank = await makeCaller({ roles: ['ingest'], client: 'bank' });

type Caller = (path: string, body?: unknown, headers?: Record<string, string>) => Promise<Answer>;

async function makeCaller(fields: object): Promise<Caller> {
  const { body: made } = await answerOf(await api.post('/v1/keys', { owner: 'test', ...fields }));
  return async (path, body, more = {}) => {
    const headers = { Authorization: `Bearer ${made.key}`, 'Content-Type': 'application/json' };
    const init = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
    return await answerOf(
      await fetch(api.url + path, { ...init, headers: { ...headers, ...more } }),
    );
  };
}

async function accepted(caller: Caller, fields: Input = {}): Promise<string> {
  const created_at = new Date(CREATED_MS).toISOString();
  const { body } = await caller('/v1/transactions', input({ created_at, ...fields }));
  return body.transaction_id;
}

const postLabel = (caller: Caller, fields: Input) =>
  caller('/v1/labels', { labels: [labelInput(fields)] });

/** Removes the id of the request, which differs each time, and what was asked for, which a refusal repeats. */
function told({ status, headers, body }: Answer, asked: string) {
  const names = [...headers.keys()].filter((name) => !['date', 'x-request-id'].includes(name));
  const said = JSON.stringify({ ...body, instance: '' }).replaceAll(asked, '');
  return { status, names, body: JSON.parse(said) };
}

const UNKNOWN = idAt(CREATED_MS, 99);

/** The answers to the own client, and to a key that sees the market. */
const SCORE_STATUS = { pending: 202, scored: 200, 'a dead letter': 404 } as const;
const STATES = ['pending', 'scored', 'a dead letter'] as const;

describe.each(STATES)("another client's transaction that is %s", (state) => {
  let own = '';
  let other = '';
  beforeAll(async () => {
    own = await accepted(shop);
    other = await accepted(bank);
    if (state === 'scored') await storeScoresOf(api.database, [own, other]);
    if (state !== 'a dead letter') return;
    const letters = [own, other].map((transactionId, n) => ({
      ...{ id: idAt(CREATED_MS, n), transactionId, failedAtMs: CREATED_MS },
    }));
    await storeDeadLetters(api.database, letters);
  });

  test.each(['/v1/transactions', '/v1/scores'])('is unknown at %s', async (path) => {
    const expected = path === '/v1/scores' ? SCORE_STATUS[state] : 200;
    expect((await shop(`${path}/${own}`)).status).toBe(expected);
    const unknown = told(await shop(`${path}/${UNKNOWN}`), UNKNOWN);
    expect(unknown.status).toBe(404);
    // Each question is repeated, as a score that was read for its owner may be in memory.
    for (const caller of [shop, bank, shop]) {
      const answer = await caller(`${path}/${other}`);
      if (caller === bank) {
        expect(answer.status).toBe(expected);
        expect(answer.body.detail).not.toBe(unknown.body.detail);
      } else expect(told(answer, other)).toEqual(unknown);
    }
  });

  test('is unknown to labels, and none of their request is stored', async () => {
    const unknown = told(await postLabel(shop, { transaction_id: UNKNOWN }), UNKNOWN);
    expect(unknown.status).toBe(422);
    expect(told(await postLabel(shop, { transaction_id: other }), other)).toEqual(unknown);
    const both = [own, other].map((id) => labelInput({ transaction_id: id }));
    expect((await shop('/v1/labels', { labels: both })).status).toBe(422);
    expect(await count(api, `labels where transaction_id in ('${own}', '${other}')`)).toBe(0);
    expect((await postLabel(shop, { transaction_id: own })).status).toBe(200);
  });
});

test('one key of two clients is two transactions, and each waits for its own', async () => {
  const sent = input();
  const [ofShop, ofBank] = [await accepted(shop, sent), await accepted(bank, sent)];
  expect(ofShop).not.toBe(ofBank);
  await storeScoresOf(api.database, [ofShop]);
  const wait = { Prefer: 'wait=0.3' };
  const again = { created_at: new Date(CREATED_MS).toISOString(), ...sent };
  expect((await shop('/v1/transactions', again, wait)).body.score.transaction_id).toBe(ofShop);
  expect((await bank('/v1/transactions', again, wait)).body).toMatchObject({
    ...{ transaction_id: ofBank, status: 'duplicate', score: null },
  });
});

test('in a detached month all ids are alike', async () => {
  const id = await accepted(bank, { created_at: new Date(DETACHED_MS).toISOString() });
  await detachMonth(api.database, monthOf(DETACHED_MS));
  for (const path of ['/v1/transactions', '/v1/scores']) {
    const [other, unknown] = [id, idAt(DETACHED_MS, 99)].map((one) => shop(`${path}/${one}`));
    expect(await other?.then(({ status }) => status)).toBe(410);
    const texts = await Promise.all([other, unknown].map(async (one) => (await one)?.body.detail));
    expect(texts[0]).toBe(texts[1]);
  }
});
