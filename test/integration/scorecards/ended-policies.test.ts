/**
 * Goal: no score is stored by a policy or a table that is not in force, whatever the worker knew when it judged. Method: the engine's statements, with controls as people set them.
 */
import { beforeEach, expect, test } from 'vitest';
import { currentRuleSet } from '../../../src/core/score/rules/rule-sets.ts';
import { score } from '../../../src/core/score/score.ts';
import { ensurePartitions } from '../../../src/core/store/partitions/partitions.ts';
import { monthOf } from '../../../src/kit/words/month.ts';
import { openTestDatabase } from '../../support/database.ts';
import { toNewScores } from '../../support/delivered.ts';
import { insertScores } from '../../support/insert-scores.ts';
import { idAt } from '../../support/stored-rows.ts';

const AT_MS = Date.UTC(2026, 10, 29);
const [POLICY, TABLE] = ['scorecard-policy@1', 'scorecard@2026-11-29'];
const { testDatabase, database } = await openTestDatabase();
await ensurePartitions(database, [monthOf(AT_MS)]);

/** @param control its kind, the name of a model, and the seconds until its end */
async function put(control: string): Promise<void> {
  const [kind, name, inSeconds = 3600] = control.split(' ');
  await testDatabase.sql(
    `insert into controls (kind, scope, reason, set_by, version, ends_at)
     values ($1, 'model:' || $2, 'a test', 'Ann', 1, clock_timestamp() + $3 * interval '1 s')`,
    [kind, name, inSeconds],
  );
}

let nth = 0;
function makeScore() {
  const createdAtMs = AT_MS + nth++;
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

let earlier: ReturnType<typeof makeScore>;
beforeEach(async () => {
  await testDatabase.sql('delete from controls');
  earlier = makeScore();
  await insertScores(database, toNewScores([earlier]), AT_MS);
});

test('a policy in force stores its scores, beside a score that is stored already', async () => {
  await put(`scorecard ${POLICY}`);
  const [first, second] = [makeScore(), makeScore()];
  expect(await store([first])).toBe('all');
  expect(await store([earlier, second])).toMatchObject({ ids: new Set([second.transactionId]) });
});

test.each<[string, string, ...string[]]>([
  ['that nobody put in force', POLICY],
  ['after its hour', POLICY, `scorecard ${POLICY} -1`],
  ['that is frozen', POLICY, `scorecard ${POLICY}`, `stop ${POLICY}`],
  ['by a table that is refused', TABLE, `scorecard ${POLICY}`, `stop ${TABLE}`],
])('a policy %s stores no score', async (_, ended, ...controls) => {
  for (const control of controls) await put(control);
  await expect(store([makeScore()])).rejects.toMatchObject(refusedFor(ended));
});

test('a policy that ends before the second try of a batch stores no score', async () => {
  await put(`scorecard ${POLICY}`);
  const ending: typeof database = {
    ...database,
    // A score that is stored already takes the batch here.
    async transaction(work) {
      await put(`stop ${POLICY}`);
      return await database.transaction(work);
    },
  };
  await expect(store([earlier, makeScore()], ending)).rejects.toMatchObject(refusedFor(POLICY));
});
