/**
 * A part of Redis is lost while the rest stands: the groups, or what a promoted replica had not received.
 * Nothing tells the engine, and no operator is needed afterwards.
 */
import { GROUP } from '../../../src/core/stream/keys.ts';
import { integerBetween } from '../../../src/kit/random.ts';
import { copyNow, takeOver } from '../../support/replica.ts';
import type { Scenario } from '../support/scenario.ts';
import { allStreams } from '../support/streams.ts';
import { WORKERS, wipeWaiting } from './redis-faults.ts';

const SETUP = { recoverSecondsMax: 60, workers: WORKERS.length };
/** Keys whose writes the replica does not receive. */
const LAG_MS = 800;

const groupsRemoved: Scenario = {
  name: 'groups-removed',
  what: 'the groups of all streams are removed (XGROUP DESTROY), with what is pending, once made anew at the end (XGROUP CREATE $)',
  setup: SETUP,
  plan: (random) => {
    const shares = [integerBetween(random, 20, 45), integerBetween(random, 55, 80)] as const;
    return {
      schedule: [`removed at ${shares[0]} %`, `removed and made at the end at ${shares[1]} %`],
      faults: ['group removed', 'group made at the end'],
      run: async (stage) => {
        const { client } = stage.services;
        for (const [round, share] of shares.entries()) {
          await stage.progress(share / 100);
          await wipeWaiting(stage, async () => {
            for (const { transactions } of await allStreams(stage.services)) {
              const removed = await client.xgroup('DESTROY', transactions, GROUP).catch(() => 0);
              if (removed === 1) stage.happened('group removed');
              if (removed !== 1 || round === 0) continue;
              await client.xgroup('CREATE', transactions, GROUP, '$');
              stage.happened('group made at the end');
            }
          });
        }
      },
    };
  },
};

const replicaPromoted: Scenario = {
  name: 'replica-promoted',
  what: 'a replica takes over that misses the last writes; nobody closes a connection',
  setup: SETUP,
  plan: (random) => {
    const share = integerBetween(random, 30, 70);
    return {
      schedule: [`at ${share} %, ${LAG_MS} ms behind`],
      faults: ['replica promoted', 'entries lost'],
      run: async (stage) => {
        const { progress, services, ledger, pause, happened } = stage;
        await using replica = await services.startReplica();
        await progress(share / 100);
        await copyNow(replica.client, services.redis);
        await pause(LAG_MS);
        // Events of the lost writes are lost for good.
        ledger.note({ kind: 'wiped' });
        await wipeWaiting(stage, () => takeOver(services.client, replica));
        happened('replica promoted');
      },
    };
  },
};

export const redisParts: readonly Scenario[] = [groupsRemoved, replicaPromoted];
