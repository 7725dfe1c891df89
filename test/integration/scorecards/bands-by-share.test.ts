/** Goal: a rule set with shares decides by the bands of each night, and whatever asks later finds them again. Method: a worker over two nights. */
import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { VERDICTS } from '../../../src/core/domain/score-record.ts';
import { buildTable, makeNight } from '../../../src/core/repair/night/build-table.ts';
import { NO_MODELS } from '../../../src/core/score/judge.ts';
import { bandAt, NEVER, topsOf } from '../../../src/core/score/scorecard/shares.ts';
import { DAY_MS } from '../../../src/kit/words/range.ts';
import { verifyScores } from '../../../src/rooms/evidence/verify/scores.ts';
import { backtestHere } from '../../support/backtest-here.ts';
import { openTestDatabase } from '../../support/database.ts';
import { dayTable } from '../../support/day-tables.ts';
import { makeDay, nightOf, storeScored } from '../../support/made-days.ts';
import { openForFile } from '../../support/open-for-file.ts';
import { storeTable } from '../../support/policies.ts';
import {
  always,
  makeApproved,
  makeOfficer,
  putInForce,
} from '../../support/rooms/rules/officers.ts';
import { openRunningApi } from '../../support/running-api.ts';
import { answerOf, input } from '../../support/submit.ts';
import { waitUntil } from '../../support/wait-until.ts';

const FIRST = Math.floor(Date.now() / DAY_MS) - 3;
const api = await openRunningApi();
const { database, testDatabase } = api;
const { signal } = new AbortController();

const bands = [300, 600, 900, 1200].map((from) => ({ from, weight: from / 1500 }));
const measure = 'amount / money(1, "USD")';
const size = { id: 'size', sentence: 'Large.', code: 'SIZE', measure, bands };
const shares = { review: 0.1, decline: 0.02 };
/** Points rise with the amount, and the fixed bands stop nothing. */
const verdicts = { all: { review: 900, decline: 950 }, shares };
const own = { ...always('own@1'), rules: [size], verdicts };
const ann = await makeOfficer(testDatabase, 'Ann');
const people = [ann, await makeOfficer(testDatabase, 'Bob')] as const;
await makeApproved(database, people, own);
for (const percent of [1, null]) await putInForce(database, people, own.id, percent);
await openForFile(api.startWorker());

type Row = { id: string; rule_set: string; score: number; verdict: string };
const countsOf = (of: readonly Row[]) =>
  VERDICTS.map((verdict) => of.filter((row) => row.verdict === verdict).length);
const rows: Row[] = [];
/** Builds the table of a day, and has payments of the day scored once workers know of the table. */
async function live(day: number, count: number) {
  await buildTable(database, nightOf(day));
  await setTimeout(2000);
  const transactions = Array.from({ length: count }, (_, nth) =>
    input({
      amount: `${1 + Math.floor((1200 * nth) / count)}.00`,
      created_at: new Date(day * DAY_MS + nth * 1000).toISOString(),
    }),
  );
  await api.post('/v1/transactions/batch', { transactions });
  const made: Row[] = [];
  const isScored = async () => {
    const text = `select transaction_id as id, rule_set, score, verdict from scores where created_at >= $1`;
    made.splice(0, count, ...(await testDatabase.sql<Row>(text, [new Date(day * DAY_MS)])));
    return made.length === count;
  };
  await waitUntil(isScored, 60_000, 'scores');
  rows.push(...made);
  return {
    names: [...new Set(made.map(({ rule_set }) => rule_set))],
    counts: countsOf(made),
    made,
  };
}
function bandedName() {
  const tops = topsOf(rows.map(({ score }) => score));
  return `own@1-bands-${bandAt(tops, 0.1)}-${bandAt(tops, 0.02)}`;
}
const ask = async (path: string, body: object) => await answerOf(await api.post(path, body));

test('the bands are those of the night, and fixed ones where no night knows the rule set', async () => {
  expect(await live(FIRST, 1000)).toMatchObject({ names: ['own@1'], counts: [1000, 0, 0] });
  const second = { names: [bandedName()], counts: [180, 16, 4] };
  expect(await live(FIRST + 1, 200)).toMatchObject(second);
  const name = bandedName();
  const { names, made } = await live(FIRST + 2, 200);
  expect(names).toEqual([name]);
  const { body } = await ask('/v1/evaluate', input({ amount: '1100.00' }));
  expect(body).toMatchObject({ rule_set: name, verdict: 'review' });
  const [{ id, verdict } = {}] = made.filter((row) => row.verdict !== 'approve');
  const tried = await ask('/v1/rule-sets/test', { rule_set: 'own@1', transaction_id: id });
  expect(tried.body).toMatchObject({ rule_set: name, verdict });
});

test('each score is verified, and a backtest gives the verdicts that were stored', async () => {
  const verified = await verifyScores(database, NO_MODELS, 100_000, signal);
  expect(verified).toMatchObject({ verified: rows.length, differing: [] });
  const asked = { fromDay: FIRST, toDay: FIRST + 2.5, rule_set: 'own@1' };
  const { id, subject } = await backtestHere(testDatabase, database, asked);
  expect(subject.confusion).toMatchObject(countsOf(rows).map((unlabelled) => ({ unlabelled })));
  const other = await api.request(`/v1/backtests/${id}/bands?review=400&decline=800`);
  expect(await answerOf(other)).toMatchObject({ status: 409, body: { code: 'BACKTEST_BY_SHARE' } });
});

test('a night has bands for each model that decided 1,000 of the newest payments', async () => {
  const other = await openTestDatabase();
  for (const [model, count] of [['trees@1', 1000] as const, ['trees@2', 999] as const])
    await storeScored(other.database, makeDay(FIRST - 1, count, model), null, model);
  const { models } = (await makeNight(other.database, nightOf(FIRST))).table.tops;
  const risks = makeDay(FIRST - 1, 1000, 'trees@1').map(({ risk }) => risk);
  expect(models).toEqual(new Map([['trees@1', topsOf(risks)]]));
});

const SIX = [1, 2, 3, 4, 5, 6];

test('a night makes up for what the six days before took', async () => {
  const plain = (await nightAfter(0, [7])).tops.scorecard;
  const halved = (await nightAfter(0, SIX)).tops.scorecard;
  expect([1, 9, 49].map((nth) => halved[2 * nth + 1])).toEqual([1, 9, 49].map((nth) => plain[nth]));
  const doubled = (await nightAfter(NEVER, SIX)).tops.scorecard;
  expect([1, 9, 49].map((nth) => doubled[nth])).toEqual(
    [1, 9, 49].map((nth) => plain[2 * nth + 1]),
  );
  expect(new Set(plain).size).toBeGreaterThan(20);
});

/** The table after seven days; a table with one threshold for all shares judged some of the days. */
async function nightAfter(threshold: number, judged: readonly number[]) {
  const other = await openTestDatabase();
  const tops = new Float64Array(100).fill(threshold);
  const bands = { scorecard: tops, rules: new Map(), models: new Map() };
  const serial = await storeTable(other.testDatabase, dayTable({ day: FIRST - 30, tops: bands }));
  for (let ago = 1; ago <= 7; ago++) {
    const made = makeDay(FIRST - ago, 1000);
    await storeScored(other.database, made, judged.includes(ago) ? serial : null);
  }
  return (await makeNight(other.database, nightOf(FIRST))).table;
}

test.each([
  [{ review: 0.2, decline: 0.02 }, 'review', 'must be at most 0.1, not 0.2'],
  [{ review: 0.0015, decline: 0.001 }, 'review', 'must be a multiple of 0.001, not 0.0015'],
  [{ review: 0.01, decline: 0.02 }, 'decline', 'must be at most review'],
])('shares %j are refused by the field', async (given, name, detail) => {
  const bad = { ...own, id: 'bad@1', verdicts: { ...verdicts, shares: given } };
  const { status, body } = await ask('/v1/rule-sets', bad);
  expect([status, body.errors]).toEqual([422, [{ pointer: `/verdicts/shares/${name}`, detail }]]);
});
