/**
 * A deployment under load: every process is told to stop and started again, one after the other. A client
 * that retries notices nothing, nothing pending is left behind, and every exit is in good order.
 */
import type { Scenario } from '../support/scenario.ts';
import { heldBy } from '../support/streams.ts';

const RESTARTS_MIN = 8;
const RESTARTS_MAX = 50;
/** A restart for each so many transactions of the run. */
const TRANSACTIONS_A_RESTART = 1000;
const NAMES = ['api-1', 'worker-1', 'api-2', 'worker-2'] as const;

export const rollingRestarts: Scenario = {
  name: 'rolling-restarts',
  what: 'two APIs and two workers are restarted one after the other',
  setup: { apis: 2, workers: 2 },
  plan: (_random, { transactions }) => {
    const count = Math.ceil(transactions / TRANSACTIONS_A_RESTART);
    const restarts = Math.min(RESTARTS_MAX, Math.max(RESTARTS_MIN, count));
    return {
      schedule: [`${restarts} restarts: ${NAMES.join(', ')}`],
      faults: ['restarted'],
      run: async ({ engine, services, happened, bar }) => {
        let left = 0;
        for (let n = 0; n < restarts; n++) {
          const name = NAMES[n % NAMES.length] ?? '';
          const { pid, role } = engine.process(name);
          await engine.drain(name);
          happened('restarted');
          if (role === 'worker') left += (await heldBy(services, pid)).length;
          await engine.start(role, name);
        }
        bar('entries that drained workers left pending', left, { exactly: 0 });
      },
      judge: ({ ledger, remark }) => {
        const { unknown, refused } = ledger.counts;
        remark(`attempts that a retry hid: ${unknown} broken, ${refused} refused`);
      },
    };
  },
};
