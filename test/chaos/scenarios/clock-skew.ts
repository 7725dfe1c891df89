/**
 * A worker's clock is five minutes ahead, another's five minutes behind: every transaction still has one
 * score and counts once; only `scored_at` of those workers is wrong.
 */
import { fileURLToPath } from 'node:url';
import type { Scenario } from '../support/scenario.ts';

const SKEW_MS = 300_000;
const CLOCK = fileURLToPath(new URL('../support/skewed-clock.ts', import.meta.url));
const POISONED = 'acc_chaos_poisoned';

const SKEWED = `
  select (count(*) filter (where s.scored_at > now() + interval '1 minute'))::int as ahead,
         (count(*) filter (where s.scored_at < t.received_at - interval '1 minute'))::int as behind
    from scores s join transactions t using (transaction_id, created_at)`;

export const clockSkew: Scenario = {
  name: 'clock-skew',
  what: 'the clock of one worker is five minutes ahead, of another five minutes behind',
  setup: {
    workers: 3,
    environment: { RISK_TEST_POISON: `throw:${POISONED}`, RISK_RETRY_BASE_MS: '500' },
    spoiled: { every: 100, account: POISONED },
  },
  plan: () => ({
    schedule: [`worker-1 +${SKEW_MS} ms`, `worker-2 -${SKEW_MS} ms`],
    faults: ['scored by a clock ahead', 'scored by a clock behind'],
    run: async ({ engine, services, happened, progress, until }) => {
      for (const [name, skewMs] of [
        ['worker-1', SKEW_MS],
        ['worker-2', -SKEW_MS],
      ] as const) {
        await engine.drain(name);
        const environment = {
          NODE_OPTIONS: `--import=${CLOCK}`,
          CHAOS_CLOCK_SKEW_MS: String(skewMs),
        };
        await engine.start('worker', name, { environment });
      }
      await progress(1);
      let seen = { ahead: 0, behind: 0 };
      await until('both wrong clocks have scored', async () => {
        const [row] = await services.query<typeof seen>(SKEWED);
        seen = row ?? seen;
        return seen.ahead > 0 && seen.behind > 0;
      });
      happened('scored by a clock ahead', seen.ahead);
      happened('scored by a clock behind', seen.behind);
    },
  }),
};
