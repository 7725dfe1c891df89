/**
 * Redis forgets everything, and what was lost is hard to find: clocks disagree about when it was received, the leader
 * was about to say that everything before a time is final, or a frozen API is about to say that it appended everything.
 */
import { fileURLToPath } from 'node:url';
import { integerBetween } from '../../../src/kit/random.ts';
import { makeBatches } from '../support/load.ts';
import type { Scenario, Stage } from '../support/scenario.ts';
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

async function checkpointMoves(
  { services, until }: Stage,
  what: string,
  work: () => Promise<unknown>,
): Promise<void> {
  const read = async () => {
    const [row] = await services.query<{ at: Date }>(
      'select checkpoint as at from reconcile_state',
    );
    return row?.at.getTime() ?? 0;
  };
  const before = await read();
  await work();
  await until(what, async () => (await read()) > before);
}

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
      // While nothing waits, nothing but the clock keeps the checkpoint back.
      await checkpointMoves(stage, 'the leader has moved the checkpoint', async () => {
        for (const [role, name, ms] of CLOCKS) {
          const environment = {
            NODE_OPTIONS: `--import=${CLOCK}`,
            CHAOS_CLOCK_SKEW_MS: String(ms),
          };
          await engine.start(role, name, { environment });
          happened('clock set wrong');
        }
      });
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

/** Ages the backlog, and the checkpoint with it, beyond any margin. */
const AGED = [
  `update transactions t set received_at = received_at - interval '10 minutes'
    where not exists (select from scores s where s.transaction_id = t.transaction_id and s.created_at = t.created_at)`,
  `update reconcile_state set checkpoint = least(checkpoint, now() - interval '1 hour')`,
];
const BACKLOG = 1000;
/** Nothing becomes final while this worker runs: all that it tries fails, and is retried after some seconds. */
const NEVER_DONE = { RISK_TEST_POISON: 'throw:', RISK_RETRY_BASE_MS: '5000' };

const underTheScan: Scenario = {
  name: 'redis-wiped-under-scan',
  what: 'FLUSHALL of an old backlog, between the leader that asks which Redis it is and reads what waits there',
  setup: { workers: 1, proxied: ['redis'], recoverSecondsMax: RECOVERY_SECONDS_MAX },
  plan: () => ({
    schedule: ['a backlog', 'FLUSHALL before the first XRANGE of a worker'],
    faults: ['redis flushed', 'entries lost'],
    run: async (stage) => {
      const { engine, services, proxies, load, ledger, happened, progress, until } = stage;
      const proxy = proxies.redis;
      if (proxy === undefined) throw new Error('redis stands behind no proxy');
      await checkpointMoves(stage, 'the first checkpoint', async () => undefined);
      await engine.drain('worker-1');
      const goal = ledger.counts.acknowledged + BACKLOG;
      await until('a backlog', () => ledger.counts.acknowledged >= goal);
      await progress(1);
      await load.finish();
      for (const sql of AGED) await services.query(sql);
      const identity = async () =>
        (
          await services.query<{ id: string }>('select redis_identity as id from reconcile_state')
        )[0]?.id;
      const before = await identity();
      proxy.inflict({
        ...{ kind: 'hold', at: '\r\nxrange\r\n' },
        act: async () => {
          const { entries, retries } = await countWaiting(services);
          happened('entries lost', entries + retries);
          ledger.note({ kind: 'wiped' });
          await services.client.flushall();
          happened('redis flushed');
        },
      });
      await engine.start('worker', 'worker-1', { environment: NEVER_DONE });
      await until('the loss is noticed', async () => (await identity()) !== before);
      await engine.drain('worker-1');
      proxy.heal();
      await engine.start('worker', 'worker-1');
    },
  }),
};

const PASSES_MAX = 10;
/** Older than batches that the reconciler leaves to requests. */
const LEFT_BATCHES = `select batch_id as "batchId" from ingest_batches where received_at < now() - interval '2 s'`;
/** Its reconciler is stopped at its first XRANGE for as long as an API takes to end. */
const PATIENT = { RISK_REDIS_TIMEOUT_MS: '30000' };

const frozenApi: Scenario = {
  name: 'redis-wiped-frozen-api',
  what: 'an API stops before it closes a batch, FLUSHALL, and it goes on once the recovery has seen that batch',
  setup: { apis: 2, workers: 1, proxied: ['redis'], recoverSecondsMax: RECOVERY_SECONDS_MAX },
  plan: (random) => {
    const failpoint = `api-after-append:${integerBetween(random, 1, PASSES_MAX)}:SIGSTOP`;
    return {
      schedule: [failpoint, 'FLUSHALL', 'the API goes on and ends at the first XRANGE of a worker'],
      faults: [
        'API stopped before it closed a batch',
        'redis flushed',
        'API ended in the recovery',
      ],
      run: async ({ engine, services, proxies, ledger, happened, until }) => {
        const proxy = proxies.redis;
        if (proxy === undefined) throw new Error('redis stands behind no proxy');
        // No other process may close what the API leaves.
        await engine.drain('worker-1');
        await engine.drain('api-1');
        const { pid } = await engine.start('api', 'api-1', { failpoint, wait: false });
        await until('the API has stopped', () => isStopped(pid));
        await until('its batch is old', async () => {
          return (await services.query(LEFT_BATCHES)).length > 0;
        });
        happened('API stopped before it closed a batch');
        ledger.note({ kind: 'wiped' });
        await services.client.flushall();
        happened('redis flushed');
        proxy.inflict({
          ...{ kind: 'hold', at: '\r\nxrange\r\n' },
          act: async () => {
            process.kill(pid, 'SIGCONT');
            await engine.drain('api-1');
            happened('API ended in the recovery');
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
