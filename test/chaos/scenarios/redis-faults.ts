/**
 * Redis loses everything, has no memory left, takes no writes, answers nothing, is far away or cut off:
 * the API goes on accepting, and no operator is needed afterwards.
 */
import { integerBetween, type Random } from '../../../src/simulate/random.ts';
import type { Plan, Scenario, Stage } from '../support/scenario.ts';

type Spell = { readonly afterMs: number; readonly forMs: number };

const ROUNDS = 2;
const WIPE_RECOVERY_SECONDS_MAX = 60;
const RECOVERY_SECONDS_MAX = 15;
const LATENCY_MS = 100;
/** Below what an empty Redis uses: every write that needs memory is refused. */
const MEMORY_BYTES = '1000000';

function spells(random: Random, [forMin, forMax]: readonly [number, number]): Spell[] {
  return Array.from({ length: ROUNDS }, () => ({
    afterMs: integerBetween(random, 800, 2000),
    forMs: integerBetween(random, forMin, forMax),
  }));
}

function during(
  name: string,
  what: string,
  fault: string,
  forMs: readonly [number, number],
  harm: (stage: Stage) => Promise<() => Promise<void> | void>,
  setup: Scenario['setup'] = {},
): Scenario {
  return {
    ...{ name, what, setup: { recoverSecondsMax: RECOVERY_SECONDS_MAX, ...setup } },
    plan: (random): Plan => {
      const drawn = spells(random, forMs);
      return {
        schedule: drawn.map((spell) => `after ${spell.afterMs} ms, for ${spell.forMs} ms`),
        faults: [fault],
        run: async (stage) => {
          for (const { afterMs, forMs: length } of drawn) {
            await stage.pause(afterMs);
            const heal = await harm(stage);
            try {
              await stage.pause(length);
            } finally {
              await heal();
            }
          }
        },
      };
    },
  };
}

async function isRefused({ services: { client } }: Stage): Promise<boolean> {
  return await client.xadd('{chaos}:probe', '*', 'a', '1').then(
    () => false,
    () => true,
  );
}

const wiped: Scenario = {
  name: 'redis-wiped',
  what: 'Redis forgets everything (FLUSHALL, and kill -9 with its files removed)',
  setup: { recoverSecondsMax: WIPE_RECOVERY_SECONDS_MAX, workers: 2 },
  plan: (random) => {
    const shares = [integerBetween(random, 20, 45), integerBetween(random, 55, 80)] as const;
    return {
      schedule: [`FLUSHALL at ${shares[0]} %`, `kill -9 and files removed at ${shares[1]} %`],
      faults: ['redis flushed', 'redis started empty'],
      run: async ({ progress, services, ledger, happened }) => {
        await progress(shares[0] / 100);
        ledger.note({ kind: 'wiped' });
        await services.client.flushall();
        happened('redis flushed');
        await progress(shares[1] / 100);
        await services.redis.end('SIGKILL');
        await services.redis.startEmpty();
        happened('redis started empty');
      },
    };
  },
};

const full = during(
  'redis-full',
  'Redis is at its memory limit and refuses what needs memory',
  'redis refused a write',
  [2000, 4000],
  async (stage) => {
    const { client } = stage.services;
    const [, before = '0'] = (await client.config('GET', 'maxmemory')) as [string, string];
    await client.config('SET', 'maxmemory', MEMORY_BYTES);
    if (await isRefused(stage)) stage.happened('redis refused a write');
    return async () => {
      await client.config('SET', 'maxmemory', before);
    };
  },
);

const readOnly = during(
  'redis-read-only',
  'Redis is made a replica of nothing: READONLY, as after a failover',
  'redis refused a write',
  [2000, 4000],
  async (stage) => {
    const { client } = stage.services;
    // Nobody listens on port 1: it stays a replica without a primary, and keeps its data.
    await client.call('REPLICAOF', '127.0.0.1', '1');
    if (await isRefused(stage)) stage.happened('redis refused a write');
    return async () => {
      await client.call('REPLICAOF', 'NO', 'ONE');
    };
  },
);

const frozen = during(
  'redis-frozen',
  'Redis answers nothing and closes nothing (SIGSTOP)',
  'redis frozen',
  [3000, 6000],
  async ({ services: { redis }, happened }) => {
    redis.freeze();
    happened('redis frozen');
    return async () => redis.thaw();
  },
);

const proxied = { proxied: ['redis'] } as const;

function viaProxy(name: string, what: string, fault: 'latency' | 'reset' | 'silence'): Scenario {
  const said = { latency: 'packets delayed', reset: 'connections reset', silence: 'packets lost' };
  return during(
    name,
    what,
    said[fault],
    [2000, 4000],
    async ({ proxies, happened }) => {
      const proxy = proxies.redis;
      if (proxy === undefined) throw new Error('Redis stands behind no proxy');
      proxy.inflict(fault === 'latency' ? { kind: fault, ms: LATENCY_MS } : { kind: fault });
      return async () => {
        happened(said[fault], proxy.effects());
        proxy.heal();
      };
    },
    proxied,
  );
}

export const redisFaults: readonly Scenario[] = [
  ...[wiped, full, readOnly, frozen],
  viaProxy('redis-slow', 'every packet to and from Redis takes 100 ms', 'latency'),
  viaProxy('redis-reset', 'connections to Redis are reset', 'reset'),
  viaProxy('redis-half-open', 'connections to Redis go silent without closing', 'silence'),
];
