/**
 * Goal: what two people rolled out is what scores, for its accounts, and each score is verified by the rule set that it names.
 * Method: two workers on real stores while transactions flow, the decisions of people beside them, and the scores left behind.
 */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { NO_MODELS } from '../../../../src/core/score/judge.ts';
import {
  compileStored,
  type RuleSetSource,
  readSources,
} from '../../../../src/core/store/rule-sets/rule-sets.ts';
import { openRolloutCounts } from '../../../../src/core/work/rollout-counts.ts';
import { createMetrics } from '../../../../src/kit/metrics/metrics.ts';
import type { Officer } from '../../../../src/kit/words/principal.ts';
import { verifyScores } from '../../../../src/rooms/evidence/verify/scores.ts';
import { rollBack, rollOut } from '../../../../src/rooms/rules/rule-set-change.ts';
import { readRuleSet } from '../../../../src/rooms/rules/rule-set-rows.ts';
import { confirmIn } from '../../../support/approvals.ts';
import { silentLog } from '../../../support/config.ts';
import { declareFailingCode } from '../../../support/failing-rule.ts';
import {
  always,
  makeApproved,
  makeOfficer,
  putInForce,
} from '../../../support/rooms/rules/officers.ts';
import { waitUntil } from '../../../support/wait-until.ts';
import { createWorkerRig, seeds, type WorkerRig } from '../../../support/worker-rig.ts';

/** The promised time; workers look four times as often. */
const IN_FORCE_MS_MAX = 2000;

declareFailingCode();

let rig: WorkerRig;
let ann: Officer;
let bob: Officer;
let sent: number;
beforeEach(async () => {
  sent = 0;
  rig = await createWorkerRig();
  ann = await makeOfficer(rig.database, 'Ann');
  bob = await makeOfficer(rig.database, 'Bob');
});
afterEach(() => rig[Symbol.asyncDispose]());

type Row = { account_id: string; rule_set: string; score: number; scored_at: Date };
const readScores = () =>
  rig.database.sql<Row>('select account_id, rule_set, score, scored_at from scores');

async function verified(): Promise<number> {
  const found = await verifyScores(rig.pool, NO_MODELS, 100_000, new AbortController().signal);
  expect(found.differing).toEqual([]);
  return found.verified;
}

test('a shadow decides nothing, and what it would have decided otherwise is counted', async () => {
  const stricter = await makeApproved(rig.pool, [ann, bob], always('own@1'));
  const equal = await makeApproved(rig.pool, [ann, bob], always('equal@1', 0.001));
  const shadow = { corridor: 'US-EG', to: { state: 'shadow', canary_percent: 0 } } as const;
  for (const name of [stricter, equal]) {
    await confirmIn(rig.pool, (await rollOut(rig.pool, name, shadow, ann)).approval_id, bob);
  }
  const first = rig.startWorker();
  rig.startWorker();
  const transactions = await rig.send(seeds(60));
  await rig.settled(60);
  const flips = async (name: string) => (await readRuleSet(rig.pool, name)).shadows[0];
  const isCounted = async () =>
    (await flips(stricter))?.scores === 60 && (await flips(equal))?.scores === 60;
  await waitUntil(isCounted, 20_000, 'the flips of both workers');
  // A transaction that is scored again finds its score stored, and flips no more.
  await first.stop();
  await rig.append(transactions);
  await rig.settled(60);
  await rig.send(seeds(1, Date.UTC(2026, 10, 2)));
  await waitUntil(
    async () => Number((await flips(stricter))?.scores) > 60,
    20_000,
    'the flip of one more',
  );
  expect((await flips(stricter))?.scores).toBe(61);
  const scores = await rig.database.sql<{ verdict: string; rule_set: string }>(
    'select verdict, rule_set from scores',
  );
  expect(new Set(scores.map(({ rule_set }) => rule_set))).toEqual(new Set(['default@4']));
  const approved = scores.filter(({ verdict }) => verdict === 'approve').length;
  const found = await flips(stricter);
  expect(found).toMatchObject({ corridor: 'US-EG', failed: 0, stricter: approved });
  expect(found?.stricter_share).toMatchObject({ rows: 61, value: approved / 61 });
  expect(found?.stricter_ids.length).toBe(Math.min(20, approved));
  expect((await flips(equal))?.stricter).toBe(0);
  await rollBack(rig.pool, stricter, 'US-EG', bob);
  expect((await readRuleSet(rig.pool, stricter)).corridors).toMatchObject([{ to: 'deprecated' }]);
});

/** A few transactions flow at each look for what is awaited. */
const flowUntil = (isDone: () => Promise<boolean>, what: string) =>
  waitUntil(
    async () => {
      await rig.send(seeds(5, Date.UTC(2026, 10, 1) + 10_000 * sent));
      sent += 5;
      return await isDone();
    },
    30_000,
    what,
  );

async function decidedAt(): Promise<number> {
  const [row] = await rig.database.sql<{ created_at: Date }>(
    'select created_at from rollouts order by rollout_id desc limit 1',
  );
  return row?.created_at.getTime() ?? 0;
}

/** For how long after a decision scores were still decided by another rule set. */
async function othersFor(wanted: string, fromMs: number): Promise<number> {
  const later = async () =>
    (await readScores()).filter(({ scored_at }) => scored_at.getTime() > fromMs + IN_FORCE_MS_MAX);
  await flowUntil(async () => (await later()).length > 20, 'later scores');
  const others = (await readScores()).filter(
    ({ scored_at, rule_set }) => scored_at.getTime() > fromMs && rule_set !== wanted,
  );
  return Math.max(0, ...others.map(({ scored_at }) => scored_at.getTime() - fromMs));
}

test('while transactions flow, two workers follow a rollout and a rollback within two seconds', {
  retry: 2,
}, async () => {
  const name = await makeApproved(rig.pool, [ann, bob], always('own@1'));
  await putInForce(rig.pool, [ann, bob], name, 5);
  rig.startWorker();
  rig.startWorker();
  await flowUntil(async () => (await rig.counts()).scored > 100, 'scores');
  await putInForce(rig.pool, [ann, bob], name, null);
  expect(await othersFor(name, await decidedAt())).toBeLessThan(IN_FORCE_MS_MAX);
  await rollBack(rig.pool, name, 'US-EG', bob);
  expect(await othersFor('default@4', await decidedAt())).toBeLessThan(IN_FORCE_MS_MAX);
  const { scored, deadLetters } = await rig.settled(sent);
  expect({ scored, deadLetters }).toEqual({ scored: sent, deadLetters: 0 });
  expect(await verified()).toBe(sent);
});

test('a rule set that fails is taken back by the engine, in two workers within two seconds, and no other is put forward', {
  retry: 2,
}, async () => {
  const source = always('own@1', 0.57);
  const name = await makeApproved(rig.pool, [ann, bob], source);
  const [stored] = await readSources(rig.pool.query, [name]);
  const { program } = await compileStored(stored as RuleSetSource);
  const { decide } = program;
  await putInForce(rig.pool, [ann, bob], name, 40);
  // A transaction that the rule set fails is tried again after the rollback.
  const patient = { RISK_RETRY_BASE_MS: '2000' };
  rig.startWorker(patient);
  rig.startWorker(patient);
  const rollouts = () =>
    rig.database.sql<{ cause: string; state: string; proposed_by: string; reason: string }>(
      'select cause, state, proposed_by, reason from rollouts order by rollout_id',
    );
  const decides = async () => (await readScores()).some(({ rule_set }) => rule_set === name);
  await flowUntil(decides, 'the canary to decide');
  try {
    Object.assign(program, {
      decide() {
        throw new Error('out of order');
      },
    });
    const isBack = async () => (await rollouts()).length === 3;
    await flowUntil(isBack, 'the engine to take the canary back');
    expect(await othersFor('default@4', await decidedAt())).toBeLessThan(IN_FORCE_MS_MAX);
  } finally {
    Object.assign(program, { decide });
  }
  expect(await rig.settled(sent)).toMatchObject({ scored: sent, deadLetters: 0 });
  expect((await rollouts()).at(-1)).toEqual({
    ...{ cause: 'rollback', state: 'deprecated', proposed_by: 'engine' },
    reason: expect.stringMatching(/^of \d+ decisions within two minutes \d+ failed$/),
  });
  const [audit] = await rig.database.sql(
    `select who, subject, after ->> 'reason' as reason from audit_log where action = 'rollout.rollback'
      order by audit_id desc limit 1`,
  );
  expect(audit).toMatchObject({ who: 'engine', subject: name });
});

test('a rule set in force again is judged by what it decides from then on', async () => {
  const name = await makeApproved(rig.pool, [ann, bob], always('own@1'));
  const [stored] = await readSources(rig.pool.query, [name]);
  const ruleSet = await compileStored(stored as RuleSetSource);
  const counts = openRolloutCounts({
    ...{ name: 'test', database: rig.pool, log: silentLog(), metrics: createMetrics() },
  });
  const stateAfter = async (...failures: readonly (0 | 1)[]) => {
    for (const failed of failures) counts.begin('US-EG', ruleSet)?.(failed);
    await counts.duty.run();
    const text = 'select state from rollouts order by rollout_id desc limit 1';
    return (await rig.database.sql<{ state: string }>(text))[0]?.state;
  };
  await putInForce(rig.pool, [ann, bob], name, 5);
  expect(await stateAfter(1, 1, 1)).toBe('deprecated');
  await putInForce(rig.pool, [ann, bob], name, 5);
  expect(await stateAfter(0, 1, 1)).toBe('canary');
  expect(await stateAfter(1)).toBe('deprecated');
});
