/**
 * Goal: what decides in a backtest is the rule set, draft or in force, and the model that was asked for. Method: rule sets of two
 * people, a model that is a function, and stored rows whose counts SQL knows.
 */
import { expect, test } from 'vitest';
import { type JudgingModel, type Models, NO_MODELS } from '../../../../src/core/score/judge.ts';
import type { NewBacktest } from '../../../../src/rooms/backtest/backtest.ts';
import type { Report } from '../../../../src/rooms/backtest/count/report.ts';
import { readBacktest, requestBacktest } from '../../../../src/rooms/backtest/request.ts';
import { runBacktest } from '../../../../src/rooms/backtest/run.ts';
import { findNext } from '../../../../src/rooms/backtest/store/backtests.ts';
import { createDraft } from '../../../../src/rooms/rules/rule-set-change.ts';
import { openTestDatabase } from '../../../support/database.ts';
import { COUNT, source, storeHistory, WINDOW } from '../../../support/rooms/backtest/rig.ts';
import { makeApproved, makeOfficer, putInForce } from '../../../support/rooms/rules/officers.ts';

const { testDatabase, database } = await openTestDatabase();
const people = [
  await makeOfficer(testDatabase, 'Ann'),
  await makeOfficer(testDatabase, 'Bob'),
] as const;
await storeHistory(database);

/** Reviews from four an hour on, and declines six. */
const model = {
  modelId: 'm',
  name: 'm@1',
  under: null,
  isFree: false,
  judge: (rows) =>
    rows.map(({ vector }) => ({
      probability: (vector[COUNT - 1] ?? 0) / 7,
      bands: { reviewFrom: 0.5, declineFrom: 0.8 },
      factors: () => [],
    })),
  explain: () => {
    throw new Error('a backtest explains nothing');
  },
} satisfies JudgingModel;
const MODELS: Models = {
  ...NO_MODELS,
  find: async (name) => (name === 'm@1' ? { model } : { problem: 'is not registered' }),
};

async function reportOf(asked: Partial<NewBacktest>, models = MODELS): Promise<Report> {
  const databases = { primary: database, replica: null, now: Date.now };
  const question = { ...WINDOW, ...asked };
  await requestBacktest({ databases, models: MODELS }, question, people[0]);
  const next = await findNext(database.query);
  if (next === undefined) throw new Error('nothing waits');
  const { signal } = new AbortController();
  const untilMs = Number.POSITIVE_INFINITY;
  await runBacktest({ databases, models, writes: database, signal, untilMs }, next);
  return JSON.parse((await readBacktest(database, next.id)).report ?? 'null');
}

async function countRows(where: string): Promise<number> {
  const text = `select count(*)::int as rows from market.scores where ${where}`;
  return (await database.query<{ rows: number }>({ text }))[0]?.rows ?? Number.NaN;
}
const count = `market.feature_value(features, ${COUNT})`;

test('a draft is tried against what is in force, by corridor', async () => {
  const draft = source('draft@1', 40);
  await createDraft(database, draft, people[0]);
  const approved = await makeApproved(database, people, source('own@1', 40));
  for (const percent of [5, null]) await putInForce(database, people, approved, percent);
  const report = await reportOf({ rule_set: 'draft@1' });
  expect(report.subject.version).toBe('draft@1');
  expect(report.against.version).toBe('default@4, own@1 in US-EG');
  // The draft and the rule set in force decide alike in their corridor.
  const examples = report.flips.flatMap((flip) => flip.examples);
  expect(new Set(examples.map(({ corridor }) => corridor))).toEqual(new Set(['US-MX']));
});

test('a model that is named judges every row', async () => {
  const { subject } = await reportOf({ model: 'm@1' });
  expect(subject.version).toBe('default@4, own@1 in US-EG, beside m@1');
  const [approved, reviewed, declined] = subject.confusion.map(
    ({ fraud, legitimate, unlabelled }) => fraud + legitimate + unlabelled,
  );
  expect([approved, reviewed, declined]).toEqual([
    await countRows(`${count} < 4`),
    await countRows(`${count} in (4, 5)`),
    await countRows(`${count} = 6`),
  ]);
});

test('the scorecard judges every row by the margin that was stored with the row, in bands of its own', async () => {
  await testDatabase.sql(
    `update scores set margin = case when corridor = 'US-EG' then feature_value(features, ${COUNT}) - 4.5 end`,
  );
  const asked = { model: 'scorecard', against_rule_set: 'default@3' };
  const bands = { review_from: 0.3, decline_from: 0.8 };
  const { subject, against, left_out, rows } = await reportOf({ ...asked, ...bands });
  expect([subject.version, against.version]).toEqual([
    'default@4, own@1 in US-EG, beside scorecard',
    'default@3',
  ]);
  const scored = await countRows(`corridor = 'US-EG'`);
  expect(rows).toBe(scored);
  const others = await countRows(`corridor <> 'US-EG'`);
  expect(left_out).toEqual([{ cause: 'model scorecard', rows: others }]);
  const verdicts = subject.confusion.map((of) => of.fraud + of.legitimate + of.unlabelled);
  const ofCount = (where: string) => countRows(`corridor = 'US-EG' and ${count} ${where}`);
  expect(verdicts).toEqual([
    await ofCount('< 4'),
    await ofCount('in (4, 5)'),
    await ofCount('= 6'),
  ]);
  // Without bands of its own the scorecard has those of the rule set: 400 and 800 points.
  const plain = await reportOf({ ...asked, rule_set: 'default@3' });
  const [approved] = plain.subject.confusion;
  expect(approved && approved.fraud + approved.legitimate + approved.unlabelled).toBe(
    await ofCount('< 5'),
  );
});
