/**
 * Goal: open rows of a corridor that has left Kafka reach its streams though no broker answers any more. Method: real Postgres and
 * Redis, and a port at which nothing listens in place of Kafka.
 */
import { expect, test } from 'vitest';
import type { CorridorLog } from '../../src/core/domain/corridor.ts';
import { bindReconciler } from '../../src/core/repair/reconcile.ts';
import { openKafka } from '../../src/core/stream/kafka/clients.ts';
import { freePort } from '../../src/tools/start/services/free-port.ts';
import { testConfig } from '../support/config.ts';
import { waitUntil } from '../support/wait-until.ts';
import { createWorkerRig, seeds } from '../support/worker-rig.ts';

test.each<[CorridorLog, number]>([
  ['streams', 3],
  ['both', 3],
  ['kafka', 0],
])(
  'while Kafka is gone, rows of a corridor whose log is %s: %d are appended',
  async (log, count) => {
    await using rig = await createWorkerRig();
    await using clients = openKafka(`kafka://127.0.0.1:${await freePort()}`);
    await rig.database.sql(
      `insert into corridor_settings (corridor, changed_by, log, log_changed_at) values ('US-EG', 'test', $1, now())`,
      [log],
    );
    await rig.openRows(await rig.store(seeds(3)));
    const config = testConfig({ ...rig.environment, RISK_RECONCILE_AGE_MS: '1000' });
    let appended = 0;
    const add = (more: number) => {
      appended += more;
    };
    const reconciler = bindReconciler(config, rig.pool, rig.commands, add, rig.pool, clients);
    const { signal } = new AbortController();
    const isDone = async () => {
      const { isWhole, lost, rows } = await reconciler.run(signal);
      return isWhole && lost + rows === 0;
    };
    await waitUntil(isDone, 30_000, 'a whole pass');
    expect(appended).toBe(count);
    expect(await rig.counts()).toMatchObject({ waiting: count });
  },
);
