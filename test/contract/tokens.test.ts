/**
 * Goal: the answer to each write has a consistency token. Method: answers.test.ts asks for the writes of one person; here two
 * people do the others: a rollout, a second decision, a key that approves, and a login that ends.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ROLES } from '../../src/kit/words/principal.ts';
import { insertPersonKey } from '../support/people.ts';
import { type RollOut, startRollOut } from '../support/rolled-out.ts';
import { always } from '../support/rooms/rules/officers.ts';
import { type RunningApi, startRunningApi } from '../support/running-api.ts';
import { storeTransactions } from '../support/stored-rows.ts';
import { answerOf } from '../support/submit.ts';
import { TWO_PEOPLE_WRITES } from '../support/two-people-writes.ts';
import { waitUntil } from '../support/wait-until.ts';

let api: RunningApi;
let rollOut: RollOut;
/** How long an API on a busy machine may refuse. */
const PATIENCE_MS = 20_000;

const keys = new Map<string, string>();
beforeAll(async () => {
  api = await startRunningApi();
  rollOut = await startRollOut(api.testDatabase);
  for (const name of ['Cy', 'Di'])
    keys.set(name, await insertPersonKey(api.testDatabase, name, ROLES));
});
afterAll(async () => {
  await rollOut[Symbol.asyncDispose]();
  await api[Symbol.asyncDispose]();
});

/** Operations whose answers had a token. */
const withToken = new Set<string>();

/** @param id put in the place of `{id}` */
async function as(name: string, operation: string, id = '', body: object = {}) {
  const [method = '', path = ''] = operation.split(' ');
  const request = () =>
    api.request(path.replace('{id}', id), {
      ...{ method, body: JSON.stringify(body) },
      headers: { Authorization: `Bearer ${keys.get(name)}`, 'Content-Type': 'application/json' },
    });
  // A busy machine may refuse a request at first.
  const isTaken = async () => {
    const answer = await answerOf(await request());
    return answer.status === 503 ? undefined : answer;
  };
  const { status, headers, body: answer } = await waitUntil(isTaken, PATIENCE_MS, operation);
  expect([operation, status < 300, answer]).toEqual([operation, true, answer]);
  if (/^[\w-]{23}$/.test(headers.get('consistency-token') ?? '')) withToken.add(operation);
  return answer;
}

test('each write that takes two people, a model or a login is answered with a token', async () => {
  const model = await rollOut.register(1);
  const rollout = { corridor: 'US-EG', to: 'shadow' };
  for (const to of ['shadow', 'canary:5']) {
    const proposed = { ...rollout, to };
    const answer = await as('Cy', 'POST /v1/models/{id}/proposals', model, proposed);
    await as('Di', 'POST /v1/models/proposals/{id}/approve', answer.proposal_id);
  }
  await as('Di', 'POST /v1/models/rollback', '', { corridor: 'US-EG' });
  const alone = { ...rollout, corridor: 'US-MX', reason: 'a wave of frauds' };
  await as('Cy', 'POST /v1/models/{id}/emergency', model, alone);

  const seeds = [1, 2].map((minutes) => ({
    ...{ createdAtMs: Date.now() - minutes * 60_000, score: 700 },
  }));
  const [confirmed = '', returned = ''] = await storeTransactions(api.database, seeds);
  for (const id of [confirmed, returned]) {
    await as('Cy', 'POST /v1/reviews', '', { transaction_id: id });
    await as('Cy', 'POST /v1/reviews/{id}/claim', id);
  }
  // Without an exchange rate a decision takes two people.
  await api.testDatabase.sql('update review_cases set market_amount = null');
  await as('Cy', 'POST /v1/reviews/{id}/decide', confirmed, { disposition: 'fraud', reason: 'x' });
  await as('Di', 'POST /v1/reviews/{id}/confirm', confirmed);
  await as('Cy', 'POST /v1/reviews/{id}/decide', returned, { disposition: 'fraud', reason: 'x' });
  await as('Di', 'POST /v1/reviews/{id}/return', returned, { reason: 'more' });

  const asked = { roles: ['risk_officer'], identity: 'Bob' };
  const { key_id: keyId } = await as('Cy', 'POST /v1/keys', '', asked);
  await as('Di', 'POST /v1/keys/{id}/confirm', keyId);
  const { session_id: session } = await as('Cy', 'POST /v1/sessions');
  await as('Cy', 'DELETE /v1/sessions/{id}', session);
  const source = always('own@1');
  await as('Cy', 'POST /v1/rule-sets', '', source);
  await as('Cy', 'POST /v1/rule-sets/{id}/submit', source.id);
  await as('Di', 'POST /v1/rule-sets/{id}/approve', source.id);
  const shadow = { corridor: 'US-EG', to: 'shadow' };
  for (const name of ['Cy', 'Di']) {
    await as(name, 'POST /v1/rule-sets/{id}/rollout', source.id, shadow);
  }
  await as('Di', 'POST /v1/rule-sets/{id}/rollback', source.id, { corridor: 'US-EG' });
  expect([...withToken]).toEqual(expect.arrayContaining(TWO_PEOPLE_WRITES));
});
