/**
 * Redis forgets everything, and what was lost is hard to find: clocks disagree about when it was received, the leader
 * was looking for it just then, or a frozen API is about to append it a second time.
 */
import { fileURLToPath } from 'node:url';
import { loadScript } from '../../../src/core/stream/scripts.ts';
import { integerBetween } from '../../../src/kit/random.ts';
import { makeBatches } from '../support/load.ts';
import type { Scenario } from '../support/scenario.ts';
import { isStopped } from '../support/stopped.ts';
import { countWaiting } from '../support/streams.ts';

const SKEW_MS = 600_000;
const CLOCK = fileURLToPath(new URL('../support/skewed-clock.ts', import.meta.url));
const CLOCKS = [
  // The first API takes all posts while it answers.
  ['api', 'api-1', -SKEW_MS],
  ['api', 'api-2', SKEW_MS],
  // The leader's clock is ahead of Postgres, whichever worker leads.
  ['worker', 'worker-1', SKEW_MS],
  ['worker', 'worker-2', SKEW_MS],
] as const;
const WORKERS = ['worker-1', 'worker-2'];
const BATCH = 100;
const RECOVERY_SECONDS_MAX = 60;

/** Share of the posted transactions; all of them wait when Redis is wiped. */
const LOST_SHARE = 0.5;

const clocksApart: Scenario = {
  name: 'redis-wiped-clocks-apart',
  what: 'FLUSHALL, the clocks of two APIs ten minutes behind and ahead, those of the workers ten minutes ahead',
  setup: { apis: 2, workers: 2, ownTraffic: true, recoverSecondsMax: RECOVERY_SECONDS_MAX },
  plan: () => ({
    schedule: [
      ...CLOCKS.map(([, name, ms]) => `${name} ${ms / 60_000} min`),
      `FLUSHALL at ${LOST_SHARE * 100} %`,
    ],
    faults: ['clock set wrong', 'redis flushed', 'entries lost'],
    run: async (stage) => {
      const { engine, services, load, ledger, transactions, seed, happened } = stage;
      const batches = makeBatches({ seed, batch: BATCH, spoiled: undefined });
      const send = async (share: number) => {
        const goal = ledger.counts.acknowledged + transactions * share;
        while (ledger.counts.acknowledged < goal) {
          const batch = batches.next().value;
          if (batch !== undefined) await load.send(batch);
        }
      };
      for (const [, name] of CLOCKS) await engine.drain(name);
      for (const [role, name, ms] of CLOCKS) {
        const environment = {
          NODE_OPTIONS: `--import=${CLOCK}`,
          CHAOS_CLOCK_SKEW_MS: String(ms),
        };
        await engine.start(role, name, { environment });
        happened('clock set wrong');
      }
      const pids = WORKERS.map((name) => engine.process(name).pid);
      for (const pid of pids) process.kill(pid, 'SIGSTOP');
      try {
        await send(LOST_SHARE);
        happened('entries lost', (await countWaiting(services)).entries);
        ledger.note({ kind: 'wiped' });
        await services.client.flushall();
        happened('redis flushed');
      } finally {
        for (const pid of pids) process.kill(pid, 'SIGCONT');
      }
      // The totals' own time, by that worker's clock.
      await engine.drain('api-1');
      await engine.start('api', 'api-1');
      await send(1 - LOST_SHARE);
    },
  }),
};

/** Ages the backlog beyond any margin. */
const AGED = `update open_rows set opened_at = opened_at - interval '10 minutes'`;
/** The script that looks for rows in a stream, as it stands in a command. */
const LOOK = loadScript('read-heads-1').digest;
const BACKLOG = 1000;
/** Nothing becomes final while this worker runs: all that it tries fails, and is retried after some seconds. */
const NEVER_DONE = { RISK_TEST_POISON: 'throw:', RISK_RETRY_BASE_MS: '5000' };

const underTheScan: Scenario = {
  name: 'redis-wiped-under-scan',
  what: 'FLUSHALL of an old backlog, just before the leader looks for it',
  setup: { workers: 1, proxied: ['redis'], recoverSecondsMax: RECOVERY_SECONDS_MAX },
  plan: () => ({
    schedule: ['a backlog', 'FLUSHALL before the first look of a worker'],
    faults: ['redis flushed', 'entries lost'],
    run: async (stage) => {
      const { engine, services, proxies, load, ledger, happened, progress, until } = stage;
      const proxy = proxies.redis;
      if (proxy === undefined) throw new Error('redis stands behind no proxy');
      await engine.drain('worker-1');
      const goal = ledger.counts.acknowledged + BACKLOG;
      await until('a backlog', () => ledger.counts.acknowledged >= goal);
      await progress(1);
      await load.finish();
      await services.query(AGED);
      let isFlushed = false;
      proxy.inflict({
        ...{ kind: 'hold', at: LOOK },
        act: async () => {
          const { entries, retries } = await countWaiting(services);
          happened('entries lost', entries + retries);
          ledger.note({ kind: 'wiped' });
          await services.client.flushall();
          happened('redis flushed');
          isFlushed = true;
        },
      });
      await engine.start('worker', 'worker-1', { environment: NEVER_DONE });
      const isBack = async () => {
        const { entries, pending, retries } = await countWaiting(services);
        return isFlushed && entries + pending + retries > 0;
      };
      await until('the backlog comes back', isBack);
      await engine.drain('worker-1');
      proxy.heal();
      await engine.start('worker', 'worker-1');
    },
  }),
};

const PASSES_MAX = 10;
/** Older than rows that a request may still append. */
const LOST_ROWS = `select row_id from open_rows where opened_at < now() - interval '2 s'`;
/** The reconciler is stopped at its first look for as long as an API takes to go on. */
const PATIENT = { RISK_REDIS_TIMEOUT_MS: '30000' };

const frozenApi: Scenario = {
  name: 'redis-wiped-frozen-api',
  what: 'an API stops before it appends, FLUSHALL, and it goes on while the reconciler looks for that row',
  setup: { apis: 2, workers: 1, proxied: ['redis'], recoverSecondsMax: RECOVERY_SECONDS_MAX },
  plan: (random) => {
    const failpoint = `api-after-commit:${integerBetween(random, 1, PASSES_MAX)}:SIGSTOP`;
    return {
      schedule: [failpoint, 'FLUSHALL', 'the API goes on and ends at the first look of a worker'],
      faults: ['API stopped before it appended', 'redis flushed', 'API ended in the look'],
      run: async ({ engine, services, proxies, ledger, happened, until }) => {
        const proxy = proxies.redis;
        if (proxy === undefined) throw new Error('redis stands behind no proxy');
        // No other process may append what the API leaves.
        await engine.drain('worker-1');
        await engine.drain('api-1');
        const { pid } = await engine.start('api', 'api-1', { failpoint, wait: false });
        await until('the API has stopped', () => isStopped(pid));
        await until('its row is old', async () => {
          return (await services.query(LOST_ROWS)).length > 0;
        });
        happened('API stopped before it appended');
        ledger.note({ kind: 'wiped' });
        await services.client.flushall();
        happened('redis flushed');
        proxy.inflict({
          ...{ kind: 'hold', at: LOOK },
          act: async () => {
            process.kill(pid, 'SIGCONT');
            await engine.drain('api-1');
            happened('API ended in the look');
          },
        });
        await engine.start('worker', 'worker-1', { environment: PATIENT, wait: false });
        await until('the API has ended', engine.process('api-1').hasEnded);
        proxy.heal();
        await engine.start('api', 'api-1');
      },
    };
  },
};

export const wipedUnseen: readonly Scenario[] = [clocksApart, underTheScan, frozenApi];
