/**
 * Goal: whatever decided a payment, its score is computed again to the bit, and a backtest gives what was decided. Method: a worker
 * across the rules, a model, a policy as canary and in force, a freeze, a refused table, a rollback, trees, and the end of the policy.
 */
import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { VERDICTS } from '../../../src/core/domain/score-record.ts';
import { tableName } from '../../../src/core/score/scorecard/judge-by-table.ts';
import { DAY_MS } from '../../../src/kit/words/range.ts';
import { createCommand } from '../../../src/rooms/evidence/verify-command.ts';
import { openModels } from '../../../src/rooms/models/open-models.ts';
import { backtestHere } from '../../support/backtest-here.ts';
import { endControlIn, setControl } from '../../support/controls.ts';
import { openForFile } from '../../support/open-for-file.ts';
import {
  DECLINE_FROM,
  learntTable,
  POLICY_1,
  policyValue,
  putInForce,
  REVIEW_FROM,
  rollOutPolicy,
  rollOutTrees,
  storeTable,
} from '../../support/policies.ts';
import { startRollOut } from '../../support/rolled-out.ts';
import { runCommand } from '../../support/run-command.ts';
import { createWorkerRig, seeds } from '../../support/worker-rig.ts';

const DAY = Date.UTC(2026, 10, 1) / DAY_MS;
const [SCOPE, TABLE] = [`model:${POLICY_1}`, `model:${tableName({ day: DAY })}`];
const TREES = 'scorecard-trees@2026-11-30';
const PART = 60;
const WINDOW = { fromDay: DAY, toDay: DAY + 1 };

const rig = await openForFile(createWorkerRig());
const rollOut = await openForFile(startRollOut(rig.database));
for (const day of [DAY - 1, DAY]) {
  await storeTable(rig.database, learntTable(`table ${day}`, { day }).table);
}
await openForFile(rig.startWorker());

let sent = 0;
/** Tells what decides so many more payments, and by which table, once all workers know of a change. */
async function decideMore(): Promise<string[]> {
  await setTimeout(2000);
  const ids = await rig.send(seeds(PART, DAY * DAY_MS + sent * 1000));
  sent += PART;
  await rig.settled(sent);
  const told = await rig.database.sql<{ by: string }>(
    `select distinct concat_ws(' ', coalesce(model, 'rules'), scorecard) as by
       from scores where transaction_id = any ($1::uuid[]) order by by`,
    [ids.map(({ transactionId }) => transactionId)],
  );
  return told.map(({ by }) => by);
}

test('scores are verified across everything that decides, or stops deciding', async () => {
  expect(await decideMore()).toEqual(['rules 2']);
  await rollOut.put(await rollOut.register(1), 'active');
  expect(await decideMore()).toEqual(['m@1 2']);
  await putInForce(rig.pool);
  await rollOutPolicy(rollOut, 'canary:50');
  expect(await decideMore()).toEqual(['m@1 2', `${POLICY_1} 2`]);
  await rollOut.step(POLICY_1, 'active');
  expect(await decideMore()).toEqual([`${POLICY_1} 2`]);
  await setControl(rig.pool, 'stop', SCOPE);
  expect(await decideMore()).toEqual(['rules 2']);
  await endControlIn(rig.pool, 'stop', SCOPE);
  await setControl(rig.pool, 'stop', TABLE);
  expect(await decideMore()).toEqual([`${POLICY_1} 1`]);
  await rollOut.rollBack();
  expect(await decideMore()).toEqual(['m@1 1']);
  await rollOut.put(POLICY_1, 'active');
  await rollOutTrees(rollOut, TREES, 'active');
  expect(await decideMore()).toEqual([`${TREES} 1`]);
  await endControlIn(rig.pool, 'scorecard', SCOPE);
  expect(await decideMore()).toEqual(['rules 1']);
  const all = ['scores', '--sample', '100000'];
  const run = await runCommand(createCommand(openModels), { DATABASE_URL: rig.database.url }, all);
  expect(run.stdout.trim()).toBe(`verified=${sent} different=0 available=${sent}`);
});

test('a backtest by the model that judged each payment gives the verdicts that were stored', async () => {
  const asked = { ...WINDOW, rule_set: 'default@4' };
  const { subject } = await backtestHere(rig.database, rig.pool, asked);
  const stored = await rig.database.sql<{ verdict: string; rows: number }>(
    'select verdict, count(*)::int as rows from scores group by verdict',
  );
  const rowsOf = new Map(stored.map(({ verdict, rows }) => [verdict, rows]));
  expect(stored.length).toBeGreaterThan(1);
  expect(subject.confusion).toMatchObject(
    VERDICTS.map((verdict) => ({ verdict, unlabelled: rowsOf.get(verdict) ?? 0 })),
  );
});

test('a backtest of a policy that waits for its second person says what it would have decided', async () => {
  const path = rollOut.rig.write('waits.json', JSON.stringify(policyValue({ bound: 0.02 })));
  const key = await rollOut.rig.makeKey('who proposes', ['risk_officer']);
  await rollOut.rig.json(key, 'import', path, '--name', 'scorecard-policy@2');
  const asked = { rule_set: 'default@4', model: 'scorecard-policy@2' };
  const { subject } = await backtestHere(rig.database, rig.pool, { ...WINDOW, ...asked });
  const [judged] = await rig.database.sql<Record<string, number>>(
    `select count(*) filter (where p < $1)::int as approve, count(*) filter (where p >= $1 and p < $2)::int as review,
            count(*) filter (where p >= $2)::int as decline from (select 1 / (1 + exp(-margin)) as p from scores) s`,
    [REVIEW_FROM, DECLINE_FROM],
  );
  expect(judged?.['decline']).toBeGreaterThan(0);
  expect(subject.confusion).toMatchObject(
    VERDICTS.map((verdict) => ({ verdict, unlabelled: judged?.[verdict] })),
  );
});
