/**
 * Redis loses everything, dies, has no memory left, takes no writes, answers nothing, is far away or cut off:
 * the API goes on accepting, and no operator is needed afterwards.
 */
import { integerBetween } from '../../../src/kit/random.ts';
import { during, onTheWay } from '../support/during.ts';
import type { Scenario, Stage } from '../support/scenario.ts';
import { readScoredEvents } from '../support/streams.ts';

const WIPE_RECOVERY_SECONDS_MAX = 60;
const LATENCY_MS = 100;
/** Below what an empty Redis uses: every write that needs memory is refused. */
const MEMORY_BYTES = '1000000';
export const EVENTS_LEFT = 'events left, of those held before';
/** Without the budget, Redis would hold all of them. */
const EVENTS_LEFT_MAX = 0.9;

async function isRefused({ services: { client } }: Stage): Promise<boolean> {
  return await client.xadd('{chaos}:probe', '*', 'a', '1').then(
    () => false,
    () => true,
  );
}

export const WORKERS = ['worker-1', 'worker-2'];
const LOOKS_MAX = 500;
const LOOK_EVERY_MS = 10;
const CLOSED_MIN = 10;
/** Transactions that wait in Redis alone: they are open, and no API says that it has not appended them. */
const CLOSED_AND_WAITING = `
  select coalesce(sum(cardinality(transaction_ids)), 0)::int as closed from open_rows
   where not is_left and opened_at < now() - interval '200 ms'`;

/** Wipes Redis while transactions wait: the workers are stopped (SIGSTOP) until the entries are gone. */
export async function wipeWaiting(stage: Stage, wipe: () => Promise<unknown>): Promise<void> {
  const { engine, services, happened, pause } = stage;
  const pids = WORKERS.map((name) => engine.process(name).pid);
  for (const pid of pids) process.kill(pid, 'SIGSTOP');
  try {
    let closed = 0;
    for (let looks = 0; looks < LOOKS_MAX && closed < CLOSED_MIN; looks++) {
      if (looks > 0) await pause(LOOK_EVERY_MS);
      [{ closed } = { closed: 0 }] = await services.query<{ closed: number }>(CLOSED_AND_WAITING);
    }
    if (closed >= CLOSED_MIN) happened('entries lost', closed);
    await wipe();
  } finally {
    for (const pid of pids) process.kill(pid, 'SIGCONT');
  }
}

const wiped: Scenario = {
  name: 'redis-wiped',
  what: 'Redis forgets everything (FLUSHALL, and kill -9 with its files removed)',
  setup: { recoverSecondsMax: WIPE_RECOVERY_SECONDS_MAX, workers: WORKERS.length },
  plan: (random) => {
    const shares = [integerBetween(random, 20, 45), integerBetween(random, 55, 80)] as const;
    return {
      schedule: [`FLUSHALL at ${shares[0]} %`, `kill -9 and files removed at ${shares[1]} %`],
      faults: ['redis flushed', 'redis started empty', 'entries lost'],
      run: async (stage) => {
        const { progress, services, ledger, happened } = stage;
        await progress(shares[0] / 100);
        ledger.note({ kind: 'wiped' });
        await wipeWaiting(stage, () => services.client.flushall());
        happened('redis flushed');
        await progress(shares[1] / 100);
        await wipeWaiting(stage, () => services.redis.end('SIGKILL'));
        await services.redis.startEmpty();
        happened('redis started empty');
      },
    };
  },
};

const full = during({
  name: 'redis-full',
  what: 'Redis is at its memory limit and refuses what needs memory; events give way',
  faults: ['redis refused a write'],
  forMs: [2000, 4000],
  harm: async (stage) => {
    const { services, ledger, happened, bar } = stage;
    const { client } = services;
    const countEvents = async () => (await readScoredEvents(services)).events;
    await stage.until('events', async () => (await countEvents()) > 0);
    const held = await countEvents();
    const [, before = '0'] = (await client.config('GET', 'maxmemory')) as [string, string];
    ledger.note({ kind: 'crowded' });
    await client.config('SET', 'maxmemory', MEMORY_BYTES);
    if (await isRefused(stage)) happened('redis refused a write');
    return async () => {
      bar(EVENTS_LEFT, (await countEvents()) / held, { atMost: EVENTS_LEFT_MAX });
      await client.config('SET', 'maxmemory', before);
    };
  },
});

const killed = during({
  name: 'redis-killed',
  what: 'kill -9 of Redis, which starts again with its data',
  faults: ['redis killed'],
  forMs: [100, 1500],
  harm: async ({ services: { redis }, happened }) => {
    await redis.end('SIGKILL');
    happened('redis killed');
    return () => redis.start();
  },
});

const readOnly = during({
  name: 'redis-read-only',
  what: 'Redis is made a replica of nothing: READONLY, as after a failover',
  faults: ['redis refused a write'],
  forMs: [2000, 4000],
  harm: async (stage) => {
    const { client } = stage.services;
    // Nobody listens on port 1: it stays a replica without a primary, and keeps its data.
    await client.call('REPLICAOF', '127.0.0.1', '1');
    if (await isRefused(stage)) stage.happened('redis refused a write');
    return async () => {
      await client.call('REPLICAOF', 'NO', 'ONE');
    };
  },
});

const frozen = during({
  name: 'redis-frozen',
  what: 'Redis answers nothing and closes nothing (SIGSTOP)',
  faults: ['redis frozen'],
  forMs: [3000, 6000],
  harm: async ({ services: { redis }, happened }) => {
    redis.pause();
    happened('redis frozen');
    return async () => redis.resume();
  },
});

export const redisFaults: readonly Scenario[] = [
  wiped,
  killed,
  full,
  readOnly,
  frozen,
  ...onTheWay('redis', LATENCY_MS),
];
