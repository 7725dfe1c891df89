/**
 * Goal: no score is stored by a policy or a table that is not in force, whatever the worker knew as it judged; a table that is
 * refused, or that waits for people, judges nothing. Method: the statements of the engine, with controls as people set them.
 */
import { beforeEach, expect, test } from 'vitest';
import { currentRuleSet } from '../../../src/core/score/rules/rule-sets.ts';
import { score } from '../../../src/core/score/score.ts';
import { tableName } from '../../../src/core/score/scorecard/judge-by-table.ts';
import { encodeTable } from '../../../src/core/score/scorecard/table-bytes.ts';
import { ensurePartitions } from '../../../src/core/store/partitions/partitions.ts';
import { listTableDays, TABLES_MARK } from '../../../src/core/store/scorecards/find-tables.ts';
import { insertTable } from '../../../src/core/store/scorecards/scorecards.ts';
import { monthOf } from '../../../src/kit/words/month.ts';
import { openTestDatabase } from '../../support/database.ts';
import { dayTable } from '../../support/day-tables.ts';
import { toNewScores } from '../../support/delivered.ts';
import { insertScores } from '../../support/insert-scores.ts';
import { idAt } from '../../support/stored-rows.ts';

const AT_MS = Date.UTC(2026, 10, 29);
const [POLICY, TABLE] = ['scorecard-policy@1', 'scorecard@2026-11-29'];
const { testDatabase, database } = await openTestDatabase();
await ensurePartitions(database, [monthOf(AT_MS)]);

/** @param inSeconds until the control ends */
const put = async (kind: string, name: string, inSeconds = 3600) =>
  await testDatabase.sql(
    `insert into controls (kind, scope, reason, set_by, version, ends_at)
     values ($1, 'model:' || $2, 'a test', 'Ann', 1, clock_timestamp() + $3 * interval '1 s')`,
    [kind, name, inSeconds],
  );

let [nth, earlier] = [0, makeScore(AT_MS)];
function makeScore(createdAtMs: number) {
  const features = Float64Array.of(1);
  const decision = score({ vector: features, ruleSet: currentRuleSet, opinion: null });
  return {
    ...{ transactionId: idAt(createdAtMs), createdAtMs, accountId: 'acc_1', corridor: 'US-EG' },
    ...{ decision, features, model: POLICY, attempts: 1, degradation: 0, ruleSet: 'default@4' },
  };
}
const store = async (scores: ReturnType<typeof makeScore>[], by = database) =>
  await insertScores(by, toNewScores(scores), AT_MS, [], [POLICY, TABLE]);
const refusedFor = (name: string) => ({
  ...{ kind: 'unavailable', code: 'POLICY_ENDED', message: `not in force: ${name}` },
});
const isStored = async (id: string) =>
  (await testDatabase.sql('select from scores where transaction_id = $1', [id])).length === 1;

beforeEach(async () => {
  await testDatabase.sql('delete from controls');
  earlier = makeScore(AT_MS + nth++);
  await insertScores(database, toNewScores([earlier]), AT_MS);
});

test('a policy in force stores its scores, beside a score that is stored already', async () => {
  await put('scorecard', POLICY);
  const [first, second] = [makeScore(AT_MS + nth++), makeScore(AT_MS + nth++)];
  expect(await store([first])).toBe('all');
  expect(await store([earlier, second])).toMatchObject({ ids: new Set([second.transactionId]) });
});

test.each<[string, string, () => Promise<unknown>]>([
  ['that nobody put in force', POLICY, async () => undefined],
  ['after its hour', POLICY, () => put('scorecard', POLICY, -1)],
  ['that is frozen', POLICY, () => Promise.all([put('scorecard', POLICY), put('stop', POLICY)])],
  [
    'by a table that is refused',
    TABLE,
    () => Promise.all([put('scorecard', POLICY), put('stop', TABLE)]),
  ],
])('a policy %s stores no score', async (_, ended, prepare) => {
  await prepare();
  const made = makeScore(AT_MS + nth++);
  await expect(store([made])).rejects.toMatchObject(refusedFor(ended));
  expect(await isStored(made.transactionId)).toBe(false);
});

test('a policy that ends before the second try of a batch stores no score', async () => {
  await put('scorecard', POLICY);
  const made = makeScore(AT_MS + nth++);
  const ending: typeof database = {
    ...database,
    // A score that is stored already takes the batch here.
    async transaction(work) {
      await put('stop', POLICY);
      return await database.transaction(work);
    },
  };
  await expect(store([earlier, made], ending)).rejects.toMatchObject(refusedFor(POLICY));
  expect(await isStored(made.transactionId)).toBe(false);
});

test('a table that is refused, or waits for people, is not in use until then', async () => {
  const insert = async (day: number) => {
    const table = dayTable({ day });
    const facts = { table, bytes: encodeTable(table), payments: 0, readTo: '1' };
    return await insertTable(database.query, facts);
  };
  const serials = [await insert(20_000), await insert(20_001)];
  const listed = async () => (await listTableDays(database.query)).map(({ serial }) => serial);
  const mark = async () => (await database.query({ text: `select ${TABLES_MARK} as mark` }))[0];
  expect(await listed()).toEqual(serials);
  const before = await mark();
  await put('stop', tableName({ day: 20_001 }));
  const refused = await mark();
  expect(refused).not.toEqual(before);
  expect(await listed()).toEqual(serials.slice(0, 1));
  await testDatabase.sql(
    `insert into scorecards (day, serial, sha256, bytes, measures, payments, frauds, read_to, is_taken)
     select day + 5, serial + 5, sha256, bytes, measures, payments, frauds, read_to, false from scorecards limit 1`,
  );
  expect(await listed()).toEqual(serials.slice(0, 1));
  await testDatabase.sql('delete from controls');
  expect(await mark()).not.toEqual(refused);
  expect(await listed()).toEqual(serials);
});
