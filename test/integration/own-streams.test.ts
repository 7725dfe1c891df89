/**
 * Goal: with several workers each stream stays with one of them, nobody is idle beside a backlog, and what a dead
 * worker left is read by the others. Method: real workers over one Redis, told apart by the consumers that read.
 */
import { expect, test } from 'vitest';
import { FEATURE_SCHEMA } from '../../src/scoring/feature-schema.ts';
import { currentRuleSet } from '../../src/scoring/rule-sets.ts';
import { score } from '../../src/scoring/score.ts';
import { createWorkerList } from '../../src/stream/worker-list.ts';
import { waitUntil } from '../support/wait-until.ts';
import { createWorkerRig, seeds } from '../support/worker-rig.ts';

test('workers know each other, until they leave or are silent', async () => {
  await using rig = await createWorkerRig();
  const list = (name: string) => createWorkerList(rig.commands, rig.database.market, name);
  expect(await list('a').announce()).toEqual(['a']);
  expect((await list('b').announce()).sort()).toEqual(['a', 'b']);
  await list('a').leave();
  expect(await list('b').announce()).toEqual(['b']);
  // As if announced long ago, by the server's clock.
  await rig.commands.zadd(`${rig.database.market}:workers`, '1000', 'silent');
  expect(await list('b').announce()).toEqual(['b']);
});

test('a worker that stops leaves the list; one that is killed is replaced', async () => {
  await using rig = await createWorkerRig();
  const alive = () => rig.commands.zcard(`${rig.database.market}:workers`);
  const [stays, goes] = [rig.startWorker(), rig.startWorker()];
  await waitUntil(async () => (await alive()) === 2, 10_000, 'two workers');
  expect(await goes.stop()).toBe(0);
  expect(await alive()).toBe(1);
  await rig.send(seeds(100));
  expect(await rig.settled(100)).toMatchObject({ scored: 100 });

  const killed = rig.spawnWorker();
  await waitUntil(async () => (await alive()) === 2, 20_000, 'a second worker');
  killed.kill('SIGKILL');
  await rig.send(seeds(100, Date.UTC(2026, 10, 3)));
  expect(await rig.settled(200)).toMatchObject({ scored: 200, waiting: 0 });
  expect(await stays.stop()).toBe(0);
});

test('an idle worker takes from the backlog of a busy one', async () => {
  await using rig = await createWorkerRig();
  const scored = [0, 0];
  const workers = scored.map((_, index) =>
    rig.startWorker(
      { RISK_BATCH_ENTRIES: '10', RISK_WORKER_READERS: '1' },
      {
        scorer: {
          ...{ featureSchema: FEATURE_SCHEMA, ruleSet: currentRuleSet.id },
          decide(vector, opinion) {
            scored[index] = (scored[index] ?? 0) + 1;
            return score({ vector, ruleSet: currentRuleSet, opinion });
          },
        },
      },
    ),
  );
  // Once each has announced itself after both were there, the one stream has one owner for both.
  const announcedMs = async () => {
    const list = await rig.commands.zrange(
      `${rig.database.market}:workers`,
      '0',
      '-1',
      'WITHSCORES',
    );
    return list.filter((_, index) => index % 2 === 1).map(Number);
  };
  await waitUntil(async () => (await announcedMs()).length === 2, 10_000, 'two workers');
  const since = Math.max(...(await announcedMs()));
  const isAgreed = async () => (await announcedMs()).every((atMs) => atMs > since);
  await waitUntil(isAgreed, 10_000, 'both to know of each other');
  await rig.send(seeds(3000));
  expect(await rig.settled(3000, 40_000)).toMatchObject({ scored: 3000, waiting: 0 });
  expect(Math.min(...scored)).toBeGreaterThan(0);
  for (const worker of workers) expect(await worker.stop()).toBe(0);
});
