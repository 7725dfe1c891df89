/**
 * Goal: a policy decides nothing once it has ended or is frozen, whatever a worker knew as it judged, and nothing is lost. Method:
 * workers that stand still between a decision and its store, a frozen Redis, a stopped process, and the hour of a policy.
 */
import { setTimeout } from 'node:timers/promises';
import { beforeEach, expect, test } from 'vitest';
import { DAY_MS } from '../../../src/kit/words/range.ts';
import { endControlIn, setControl } from '../../support/controls.ts';
import { holdOpen } from '../../support/hold-open.ts';
import { openForFile } from '../../support/open-for-file.ts';
import {
  learntTable,
  POLICY_1,
  policyValue,
  putInForce,
  rollOutPolicy,
  rollOutTrees,
  storeTable,
} from '../../support/policies.ts';
import { startRollOut } from '../../support/rolled-out.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { createWorkerRig, seeds } from '../../support/worker-rig.ts';

/** A busy machine may let a lease of the worker run out while a test holds locks. */
const BUSY = { retry: 2 };
const SCOPE = `model:${POLICY_1}`;
const TREES = 'scorecard-trees@2026-11-30';
const DAY = Date.UTC(2026, 10, 1) / DAY_MS;

const rig = await openForFile(createWorkerRig());
await storeTable(rig.database, learntTable('ends', { day: DAY }).table);
await putInForce(rig.pool);
await rollOutPolicy(await openForFile(startRollOut(rig.database)));

let sent = 0;
/** Scores of the tests before: by the policy, and all. */
let before: readonly [policy: number, all: number];
beforeEach(async () => {
  await endControlIn(rig.pool, 'stop', SCOPE);
  await putInForce(rig.pool);
  before = await scoresBy(POLICY_1);
});

async function store(count: number) {
  sent += count;
  return await rig.store(seeds(count, DAY * DAY_MS + sent * 1000));
}
const send = async (count: number) => await rig.append(await store(count));

/** Scores by a model, and all. */
async function scoresBy(model: string): Promise<readonly [number, number]> {
  const [row] = await rig.database.sql<{ all: number; own: number }>(
    'select count(*)::int as all, count(*) filter (where model = $1)::int as own from scores',
    [model],
  );
  return [row?.own ?? 0, row?.all ?? 0];
}

/** Scores of the test by the policy, or by the trees on it, and all others, once all are stored. */
async function decided(by = POLICY_1): Promise<readonly [number, number]> {
  await rig.settled(sent);
  const [own, all] = await scoresBy(by);
  const mine = own - (by === POLICY_1 ? before[0] : 0);
  return [mine, all - before[1] - mine];
}

const isStoring = async () => {
  const waiting = await rig.database.sql(
    `select from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock' and application_name like 'risk-worker%'`,
  );
  return waiting.length > 0;
};

const freezePolicy = () => setControl(rig.pool, 'stop', SCOPE);
const endPolicy = () => endControlIn(rig.pool, 'scorecard', SCOPE);
const WAYS = {
  'freezes it': freezePolicy,
  'ends it': endPolicy,
  'ends it while Redis is frozen': endPolicy,
};

async function decideAgain(change: () => Promise<unknown>, by: string, isFrozen = false) {
  await using _worker = rig.startWorker();
  await send(20);
  expect(await decided(by)).toEqual([20, 0]);
  const later = await store(20);
  await using held = await holdOpen(rig.pool, 'lock table market.scores in exclusive mode');
  await rig.append(later);
  await waitUntil(isStoring, 10_000, 'a decision to be stored');
  if (isFrozen) rig.redis.pause();
  const began = performance.now();
  await change();
  expect(performance.now() - began).toBeLessThan(2000);
  await held.letGo();
  if (isFrozen) {
    await setTimeout(500);
    rig.redis.resume();
  }
  expect(await decided(by)).toEqual([20, 20]);
}

test.each(Object.entries(WAYS))(
  'what a policy decided before a person %s is decided again by the rules',
  BUSY,
  (how, change) => decideAgain(change, POLICY_1, how.endsWith('frozen')),
);

test('a worker that stood still while a policy ended decides nothing by it', BUSY, async () => {
  await using worker = rig.spawnWorker();
  await send(20);
  expect(await decided()).toEqual([20, 0]);
  worker.kill('SIGSTOP');
  try {
    await send(40);
    await endPolicy();
  } finally {
    worker.kill('SIGCONT');
  }
  expect(await decided()).toEqual([20, 40]);
});

test('a policy ends at its hour, and decides again once it is in force anew', BUSY, async () => {
  await using _worker = rig.startWorker();
  const endsAtMs = Date.now() + 2000;
  await putInForce(rig.pool, policyValue({ ends_at: new Date(endsAtMs).toISOString() }));
  while (Date.now() < endsAtMs + 1000) {
    await send(1);
    await setTimeout(50);
  }
  const [byPolicy, byRules] = await decided();
  const late = await rig.database.sql(
    'select from scores where model is not null and scored_at > to_timestamp($1::float8 / 1000)',
    [endsAtMs],
  );
  expect([byPolicy > 0, byRules > 0, late]).toEqual([true, true, []]);
  await putInForce(rig.pool);
  // Longer than a worker reads controls.
  await setTimeout(1000);
  await send(5);
  expect(await decided()).toEqual([byPolicy + 5, byRules]);
});

test('what trees decided before a person stops the trees is decided again without them', async () => {
  await using rollOut = await startRollOut(rig.database);
  await rollOutTrees(rollOut, TREES, 'active');
  await decideAgain(() => setControl(rig.pool, 'stop', `model:${TREES}`), TREES);
});
