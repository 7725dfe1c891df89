/**
 * Goal: a write that carries an idempotency key is carried out once, and its repetition gets the first answer, which the database
 * alone does not give away. Method: keys are made, as their answers have a secret that is shown once.
 */
import { expect, test } from 'vitest';
import { insertPersonKey } from '../../../support/people.ts';
import { expectProblem } from '../../../support/problem.ts';
import { openRunningApi } from '../../../support/running-api.ts';
import { answerOf } from '../../../support/submit.ts';

const api = await openRunningApi();

const BODY = { roles: ['ingest'], owner: 'once' };
type Write = {
  readonly method?: string;
  readonly path?: string;
  readonly body?: object;
  readonly by?: string;
};

function send(key: string, { method = 'POST', path = '/v1/keys', body = BODY, by }: Write = {}) {
  const headers = new Headers({ 'Idempotency-Key': key, 'Content-Type': 'application/json' });
  if (by !== undefined) headers.set('Authorization', `Bearer ${by}`);
  return api.request(path, { method, headers, body: JSON.stringify(body) });
}
const replayed = (answer: Response) => answer.headers.get('idempotency-replayed');
const countKeys = async (owner: string) =>
  (await api.testDatabase.sql('select from api_keys where owner = $1', [owner])).length;

test('a repetition gets the first answer, and makes nothing', async () => {
  const first = await send('"a-1"');
  expect([first.status, replayed(first)]).toEqual([201, null]);
  const { body: made } = await answerOf(first);
  const second = await send('a-1');
  expect([second.status, replayed(second)]).toEqual([201, 'true']);
  expect((await answerOf(second)).body).toEqual(made);
  expect(await countKeys('once')).toBe(1);
  const kept = await api.testDatabase.sql<{ text: string }>(
    "select encode(answer, 'escape') as text from kept_answers where answer is not null",
  );
  expect(kept).toHaveLength(1);
  expect(kept[0]?.text).not.toContain(made.key);
  const gone = { method: 'DELETE', path: `/v1/keys/${made.key_id}`, body: {} };
  const ended = [await send('a-2', gone), await send('a-2', gone)];
  expect(ended.map((answer) => [answer.status, replayed(answer)])).toEqual([
    [204, null],
    [204, 'true'],
  ]);
});

test('a key is of one request and one caller', async () => {
  expect((await send('b-1', { body: { ...BODY, owner: 'b' } })).status).toBe(201);
  const conflict = await expectProblem(await send('b-1'), 422);
  expect(conflict.body.type).toBe('urn:risk:problem:key-conflict');
  await expectProblem(await send('b-1', { path: '/v1/sessions/links' }), 422);
  const by = await insertPersonKey(api.testDatabase, 'Ann', ['admin']);
  const other = await send('b-1', { body: { ...BODY, owner: 'b' }, by });
  expect([other.status, replayed(other)]).toEqual([201, null]);
  expect(await countKeys('b')).toBe(2);
  const wrong = await expectProblem(await send('x'.repeat(256)), 422);
  expect(wrong.body.errors[0].pointer).toBe('/Idempotency-Key');
});

test('of twenty that come at once one is carried out', async () => {
  const body = { ...BODY, owner: 'c' };
  const answers = await Promise.all(Array.from({ length: 20 }, () => send('c-1', { body })));
  const first = answers.filter((answer) => answer.status === 201 && replayed(answer) === null);
  expect(first).toHaveLength(1);
  for (const answer of answers) {
    if (answer.status === 201) continue;
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([409, '1']);
  }
  expect(await countKeys('c')).toBe(1);
});

test('what was refused may be sent again, and what was lost is not repeated', async () => {
  const body = { roles: ['risk_officer'], owner: 'd' };
  for (let round = 0; round < 2; round++) await expectProblem(await send('d-1', { body }), 422);
  const lost = { ...BODY, owner: 'lost' };
  await send('d-2', { body: lost });
  const age = (claimed: string) =>
    api.testDatabase.sql(
      `update kept_answers set answer = null, claimed_at = ${claimed} where claimed_at =
         (select max(claimed_at) from kept_answers)`,
    );
  await age('now()');
  const running = await expectProblem(await send('d-2', { body: lost }), 409);
  expect(running.body.type).toBe('urn:risk:problem:still-running');
  await age("now() - interval '2 minutes'");
  const unknown = await expectProblem(await send('d-2', { body: lost }), 409);
  expect(unknown.body.type).toBe('urn:risk:problem:outcome-unknown');
  expect(await countKeys('lost')).toBe(1);
});
