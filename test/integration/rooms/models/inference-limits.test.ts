/**
 * Goal: a limit of inference leaves what is beyond it to the rules, says so in the score, and loses nothing; scores are verified all
 * the same. Method: workers with a deciding model on real stores, and limits as the API stores them.
 */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createCommand } from '../../../../src/rooms/evidence/verify-command.ts';
import { openModels } from '../../../../src/rooms/models/open-models.ts';
import { insertControl } from '../../../support/controls.ts';
import { type RollOut, startRollOut } from '../../../support/rolled-out.ts';
import { runCommand } from '../../../support/run-command.ts';
import { waitUntil } from '../../../support/wait-until.ts';
import { createWorkerRig, seeds, type WorkerRig } from '../../../support/worker-rig.ts';

let rig: WorkerRig;
let rollOut: RollOut;
let model: string;
beforeEach(async () => {
  rig = await createWorkerRig();
  rollOut = await startRollOut(rig.database);
  model = await rollOut.register(1);
  await rollOut.put(model, 'active', 'US-EG');
  await rollOut.put(model, 'active', 'US-MX');
});
afterEach(async () => {
  await rollOut[Symbol.asyncDispose]();
  await rig[Symbol.asyncDispose]();
});

/** Where a busy machine makes Redis late, a worker grants its share in its place. */
const BUSY = { retry: 2 };

/** So slow that a test earns nothing beyond the burst. */
const RATE = 0.001;
const limit = (scope: string, burst: number) =>
  rig.database.sql(insertControl('limit-inference', scope, { rate_per_second: RATE, burst }));

let startMs = Date.UTC(2026, 10, 1);
async function score(count: number, corridor: string): Promise<void> {
  startMs += 1_000_000;
  await rig.send(seeds(count, startMs).map((seed) => ({ ...seed, corridor })));
}

/** Scores by corridor and model; those by the rules say that they are degraded. A busy machine has a level of its own. */
const told = async () =>
  Object.fromEntries(
    (
      await rig.database.sql<{ name: string; scores: number }>(
        `select concat_ws(' ', corridor, coalesce(model, 'rules'), case when model is null then degradation > 0 end) as name,
                count(*)::int as scores
           from scores group by 1`,
      )
    ).map(({ name, scores }) => [name, scores]),
  );

const verified = async () => {
  const command = createCommand(openModels);
  const args = ['scores', '--sample', '100000'];
  return (await runCommand(command, { DATABASE_URL: rig.database.url }, args)).stdout.trim();
};

test(
  'what is beyond the limit of the market is decided by the rules, in all workers together',
  BUSY,
  async () => {
    await limit('market', 20);
    rig.startWorker();
    rig.startWorker();
    await score(60, 'US-EG');
    await rig.settled(60);
    await score(10, 'US-MX');
    await rig.settled(70);
    expect(await told()).toEqual({
      [`US-EG ${model}`]: 20,
      'US-EG rules t': 40,
      'US-MX rules t': 10,
    });
    expect(await verified()).toBe('verified=70 different=0 available=70');
  },
);

test('what the market refuses is given back to the corridor', BUSY, async () => {
  await limit('corridor:US-EG', 30);
  await limit('market', 20);
  rig.startWorker();
  await score(30, 'US-EG');
  await rig.settled(30);
  expect(await told()).toEqual({ [`US-EG ${model}`]: 20, 'US-EG rules t': 10 });
  await rig.database.sql(`delete from controls where scope = 'market'`);
  let sent = 30;
  await waitUntil(
    async () => {
      await score(1, 'US-MX');
      sent += 1;
      await rig.settled(sent);
      return `US-MX ${model}` in (await told());
    },
    10_000,
    'the worker to read the limits',
  );
  await score(30, 'US-EG');
  await rig.settled(sent + 30);
  expect((await told())[`US-EG ${model}`]).toBe(30);
});
