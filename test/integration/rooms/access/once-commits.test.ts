/**
 * Goal: a request that commits and then fails is not carried out a second time, and one that is refused before may be sent again.
 * Method: handlers that write to a real Postgres and throw.
 */
import { Hono } from 'hono';
import { expect, test } from 'vitest';
import { createKeptAnswers } from '../../../../src/kit/access/kept-answers.ts';
import { problemResponse, toProblem } from '../../../../src/kit/http/answers/problem.ts';
import type { AppEnv } from '../../../../src/kit/http/app-env.ts';
import { answerOnce, REPLAYED } from '../../../../src/kit/http/once/answer-once.ts';
import { unnoted } from '../../../../src/kit/process/note-commits.ts';
import { Failure } from '../../../../src/kit/words/failure.ts';
import { openTestDatabase } from '../../../support/database.ts';

const { database } = await openTestDatabase();

const insert = (name: string) => ({
  text: `insert into market.identities (identity, folded) values ('${name}', '${name}')`,
});
type Kind = Failure['kind'];
const fail = (kind: Kind): never => {
  throw new Failure(kind, 'X', 'a test');
};
type Work = (name: string) => Promise<unknown>;

/** Answers of two requests with one key, and how often the work was carried out. */
async function twice(name: string, kind: Kind, work: Work) {
  let runs = 0;
  const app = new Hono<AppEnv>();
  const kept = createKeptAnswers(database, { warn: () => undefined });
  app.post('/', async (c) => {
    c.set('keptAnswers', kept);
    c.set('credential', { kind: 'key', token: 'a token' });
    return await answerOnce(c, {}, async () => {
      runs += 1;
      await work(`${name} ${runs}`);
      return fail(kind);
    });
  });
  app.onError((error) => {
    const problem = toProblem(error);
    return problem === undefined
      ? new Response(null, { status: 500 })
      : problemResponse(problem, 'r');
  });
  const answers = [];
  for (let nth = 0; nth < 2; nth++) {
    const headers = { 'Idempotency-Key': name };
    const { status, headers: sent } = await app.request('/', { method: 'POST', headers });
    answers.push([status, sent.get(REPLAYED)]);
  }
  return { answers, runs };
}

const reads: Work = () => database.transaction((query) => query({ text: 'select 1' }));
const writes: readonly Work[] = [
  (name) => database.write(insert(name)),
  (name) => database.transaction((query) => query(insert(name))),
];
const rollsBack: Work = async (name) => {
  await database
    .transaction(async (query) => {
      await query(insert(name));
      fail('conflict');
    })
    .catch(() => undefined);
};

test('a refusal behind a commit is kept, and one before it frees the key', async () => {
  for (const [nth, write] of writes.entries()) {
    const answers = [
      [409, null],
      [409, 'true'],
    ];
    expect(await twice(`refused ${nth}`, 'conflict', write)).toEqual({ answers, runs: 1 });
  }
  const unseen: Work = (name) => unnoted(() => database.write(insert(name)));
  for (const [nth, work] of [reads, rollsBack, unseen].entries()) {
    const { answers, runs } = await twice(`free ${nth}`, 'conflict', work);
    expect([answers.at(-1), runs]).toEqual([[409, null], 2]);
  }
});

test('a store that goes away behind a commit leaves the outcome unknown, and before it nothing', async () => {
  const [write = reads] = writes;
  expect(await twice('lost', 'unavailable', write)).toEqual({
    answers: [
      [503, null],
      [409, null],
    ],
    runs: 1,
  });
  expect((await twice('away', 'unavailable', reads)).runs).toBe(2);
});
