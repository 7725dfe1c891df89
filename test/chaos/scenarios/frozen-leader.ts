/**
 * The worker that reconciles stops (SIGSTOP) after it has found that what an API left behind is nowhere and before it notes
 * that. Another process takes the lead over, then the worker goes on: it may no longer write.
 */
import { integerBetween } from '../../../src/kit/random.ts';
import { findLostOf, listOldRows } from '../support/lost-rows.ts';
import type { Scenario } from '../support/scenario.ts';
import { goOn, isStopped } from '../support/stopped.ts';

const ROUNDS = 2;
const PASSES_MAX = 10;
const CLOSING = 'leader-before-leave-rows:1:SIGSTOP';
/** Longer than a worker needs to have its write refused after it continues. */
const LATE_MS = 2000;
/** The bar that a write without its epoch breaches. */
export const CLOSED_LATE = 'rows changed by a leader that was replaced';

const TAKE_OVER = `
  update leaderships set owner = 'chaos', epoch = epoch + 1, expires_at = 'infinity'
   where duty = 'repair' and expires_at < now() returning epoch`;
const GIVE_UP = `update leaderships set expires_at = '-infinity' where duty = 'repair'`;
/** Older than rows that a healthy API is about to append. */
const OLD_SECONDS = 3;

export const frozenLeader: Scenario = {
  name: 'frozen-leader',
  what: 'the worker that reconciles stops before it notes a lost row, is replaced, and goes on',
  setup: { workers: 1, rate: 300 },
  plan: (random) => {
    const passes = Array.from({ length: ROUNDS }, () => integerBetween(random, 1, PASSES_MAX));
    let closedLate = 0;
    return {
      schedule: passes.map((pass) => `api-after-commit:${pass}, ${CLOSING}`),
      faults: ['leader stopped before it noted a row', 'its lead was taken over'],
      run: async (stage) => {
        const { engine, services, happened, until, pause } = stage;
        for (const pass of passes) {
          await engine.drain('worker-1');
          // Under load it may have a row to note, and stop there, before it is ready.
          const armed = { failpoint: CLOSING, wait: false };
          const { pid } = await engine.start('worker', 'worker-1', armed);
          await engine.drain('api-1');
          const failpoint = `api-after-commit:${pass}`;
          const api = await engine.start('api', 'api-1', { failpoint, wait: false });
          await until('the API has died', api.hasEnded);
          await engine.start('api', 'api-1');
          await until('the leader has stopped', () => isStopped(pid));
          await until('its time is over', async () => {
            return (await services.query(TAKE_OVER)).length > 0;
          });
          happened('its lead was taken over');
          const lost = await findLostOf(services, await listOldRows(services, OLD_SECONDS));
          if (lost.length > 0) happened('leader stopped before it noted a row', lost.length);
          await goOn(stage, 'worker-1', pid);
          await pause(LATE_MS);
          const still = await listOldRows(services, OLD_SECONDS);
          const unchanged = new Set(still.map(({ rowId }) => rowId));
          closedLate += lost.filter(({ rowId }) => !unchanged.has(rowId)).length;
          await services.query(GIVE_UP);
        }
      },
      judge: ({ bar }) => bar(CLOSED_LATE, closedLate, { exactly: 0 }),
    };
  },
};
