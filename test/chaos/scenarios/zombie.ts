/**
 * A worker that is taken for dead: it stops (SIGSTOP) right after it has read a batch, others claim and finish
 * its entries, then it goes on (SIGCONT) and finishes them as well. Some of them fail, so that it also comes
 * too late with retries and dead letters of entries that it no longer owns.
 */
import { integerBetween } from '../../../src/kit/random.ts';
import type { Scenario } from '../support/scenario.ts';
import { goOn, isStopped } from '../support/stopped.ts';
import { countDeadLetterCopies, heldBy } from '../support/streams.ts';

const ROUNDS = 3;
const PASSES_MAX = 20;
/** A transaction in this many fails: each batch has some, and their retries stay few. */
const POISONED_EVERY = 4;
const RATE = 300;
const POISONED = 'acc_chaos_poisoned';
/** Above the claim idle time of the suite, so that everything it held has another owner. */
const STOPPED_MS = 5000;

export const zombie: Scenario = {
  name: 'zombie-worker',
  what: 'a worker stops with a batch in hand, others take over, and it goes on',
  setup: {
    workers: 2,
    rate: RATE,
    environment: { RISK_TEST_POISON: `throw:${POISONED}`, RISK_RETRY_BASE_MS: '500' },
    spoiled: { every: POISONED_EVERY, account: POISONED },
  },
  plan: (random) => {
    const passes = Array.from({ length: ROUNDS }, () => integerBetween(random, 2, PASSES_MAX));
    return {
      schedule: passes.map((pass) => `worker-after-read:${pass}:SIGSTOP`),
      faults: [
        'worker stopped with entries in hand',
        'with poisoned ones in hand',
        'its entries found another owner',
      ],
      run: async (stage) => {
        const { engine, services, happened, until, pause } = stage;
        for (const pass of passes) {
          await engine.drain('worker-1');
          const { pid } = await engine.start('worker', 'worker-1', {
            ...{ failpoint: `worker-after-read:${pass}:SIGSTOP`, wait: false },
          });
          await until('the worker has stopped', () => isStopped(pid));
          const held = await heldBy(services, pid);
          if (held.length > 0) happened('worker stopped with entries in hand');
          const poisoned = await services.query(
            'select from transactions where transaction_id = any ($1::uuid[]) and account_id like $2',
            [held, `${POISONED}%`],
          );
          if (poisoned.length > 0) happened('with poisoned ones in hand');
          await pause(STOPPED_MS);
          const left = await heldBy(services, pid);
          if (left.length < held.length) happened('its entries found another owner');
          await goOn(stage, 'worker-1', pid);
        }
      },
      // A worker that no longer owns an entry has no say in its retries and its end.
      judge: async ({ services, bar }) => {
        const copies = [...(await countDeadLetterCopies(services)).values()];
        const beyond = copies.reduce((sum, count) => sum + count - 1, 0);
        bar('transactions given up more than once', beyond, { exactly: 0 }, 'I2');
      },
    };
  },
};
