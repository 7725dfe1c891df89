/**
 * The matrix: {SIGKILL, SIGTERM} × {api, worker, redis, postgres}, one victim at a time, at drawn moments
 * under load, each started again. A SIGTERM must end in good order and leave nothing pending behind.
 */
import { integerBetween, type Random } from '../../../src/kit/random.ts';
import type { Plan, Scale, Scenario, Stage } from '../support/scenario.ts';
import { heldBy } from '../support/streams.ts';

type How = 'kill' | 'term';
type Bounce = { readonly afterMs: number; readonly awayMs: number };

const ROUNDS_MIN = 4;
const ROUNDS_MAX = 100;
const EVERY_MS = 2000;
const WORKERS = 3;
const GRACE_MS = 1000;
const STOPS_MAX = 200;
/** Not a multiple of the interval between batches. */
const BETWEEN_STOPS_MS = 13;
const DRAIN_MS_MAX = 25_000;

/** As many rounds as fit into the run, two seconds apart. */
function draw(random: Random, { transactions, rate }: Scale): Bounce[] {
  const rounds = Math.ceil((transactions / rate / EVERY_MS) * 1000);
  return Array.from({ length: Math.min(ROUNDS_MAX, Math.max(ROUNDS_MIN, rounds)) }, () => ({
    afterMs: integerBetween(random, EVERY_MS / 2, (EVERY_MS * 3) / 2),
    awayMs: integerBetween(random, 100, 1500),
  }));
}

type Strike = (stage: Stage, bounce: Bounce, round: number) => Promise<void>;

function planOf(bounces: readonly Bounce[], faults: readonly string[], strike: Strike): Plan {
  return {
    schedule: bounces.map(({ afterMs, awayMs }) => `after ${afterMs} ms, away ${awayMs} ms`),
    faults,
    run: async (stage) => {
      for (const [round, bounce] of bounces.entries()) {
        await stage.pause(bounce.afterMs);
        await strike(stage, bounce, round);
      }
    },
  };
}

/** Every other victim is killed while it holds entries, however little there is to do. */
const killWorker: Strike = async (stage, _bounce, round) => {
  const { engine, services, happened } = stage;
  const name = `worker-${(round % WORKERS) + 1}`;
  const { pid } = engine.process(name);
  if (round % 2 === 0) await stopWithEntries(stage, pid);
  await engine.kill(name);
  happened('worker killed');
  if ((await heldBy(services, pid)).length > 0) happened('killed with entries in hand');
  await engine.start('worker', name);
};

/** Kills all workers at once, so that nobody takes over: what they held waits until it may be claimed. */
const killWorkers: Strike = async (stage, _bounce, round) => {
  const { engine, services, happened } = stage;
  const names = Array.from({ length: WORKERS }, (_, n) => `worker-${n + 1}`);
  const pids = names.map((name) => engine.process(name).pid);
  await stopWithEntries(stage, pids[round % WORKERS] ?? 0);
  await Promise.all(names.map((name) => engine.kill(name)));
  happened('workers killed', WORKERS);
  const held = await Promise.all(pids.map((pid) => heldBy(services, pid)));
  if (held.flat().length > 0) happened('killed with entries in hand');
  await Promise.all(names.map((name) => engine.start('worker', name)));
};

/** Stops it again and again (SIGSTOP) until it has been caught between a read and its end. */
async function stopWithEntries({ services, pause }: Stage, pid: number): Promise<void> {
  for (let tries = 0; tries < STOPS_MAX; tries++) {
    process.kill(pid, 'SIGSTOP');
    if ((await heldBy(services, pid)).length > 0) return;
    process.kill(pid, 'SIGCONT');
    await pause(BETWEEN_STOPS_MS);
  }
}

const termWorker: Strike = async ({ engine, services, happened, bar }, _bounce, round) => {
  const name = `worker-${(round % WORKERS) + 1}`;
  const { pid } = engine.process(name);
  const { ms } = await engine.drain(name);
  happened('worker told to stop');
  const held = await heldBy(services, pid);
  if (held.length > 0) bar('pending entries a drained worker left', held.length, { exactly: 0 });
  if (ms > DRAIN_MS_MAX) bar('drain of a worker, ms', ms, { atMost: DRAIN_MS_MAX });
  await engine.start('worker', name);
};

const killApi: Strike = async ({ engine, happened, pause }, { awayMs }) => {
  await engine.kill('api-1');
  happened('api killed');
  await pause(awayMs);
  await engine.start('api', 'api-1');
};

const termApi: Strike = async ({ engine, happened, pause }, { awayMs }) => {
  await engine.drain('api-1');
  happened('api told to stop');
  await pause(awayMs);
  await engine.start('api', 'api-1');
};

const bounceRedis =
  (how: How): Strike =>
  async ({ services: { redis }, happened, pause }, { awayMs }) => {
    await redis.end(how === 'kill' ? 'SIGKILL' : 'SIGTERM');
    happened(how === 'kill' ? 'redis killed' : 'redis told to stop');
    await pause(awayMs);
    await redis.start();
  };

const killPostgres: Strike = async ({ services: { postgres }, happened, pause }, { awayMs }) => {
  await postgres.end('SIGKILL');
  happened('postgres killed');
  await pause(awayMs);
  await postgres.start();
};

/** SIGTERM is Postgres' smart shutdown, which waits for its sessions: SIGINT ends those too. */
const termPostgres: Strike = async (stage, { awayMs }) => {
  const { postgres } = stage.services;
  process.kill(postgres.pid(), 'SIGTERM');
  await stage.pause(GRACE_MS);
  await postgres.end('SIGINT');
  stage.happened('postgres told to stop');
  await stage.pause(awayMs);
  await postgres.start();
};

function bounce(
  name: string,
  what: string,
  faults: readonly string[],
  strike: Strike,
  setup: Scenario['setup'] = {},
): Scenario {
  return {
    name,
    what,
    setup,
    plan: (random, scale) => planOf(draw(random, scale), faults, strike),
  };
}

/** A Postgres that stops loses answers. */
const LOSSY = { countersExact: false } as const;

export const bounces: readonly Scenario[] = [
  bounce(
    'kill-worker',
    'kill -9 of one of three workers every two seconds, a model deciding',
    ['worker killed', 'killed with entries in hand'],
    killWorker,
    { workers: WORKERS, hasModel: true },
  ),
  bounce(
    'kill-workers',
    'kill -9 of all three workers at once every two seconds',
    ['workers killed', 'killed with entries in hand'],
    killWorkers,
    { workers: WORKERS },
  ),
  bounce('kill-api', 'kill -9 of the API', ['api killed'], killApi),
  bounce('kill-redis', 'kill -9 of Redis', ['redis killed'], bounceRedis('kill')),
  bounce('kill-postgres', 'kill -9 of Postgres', ['postgres killed'], killPostgres, LOSSY),
  bounce('term-worker', 'SIGTERM to one of three workers', ['worker told to stop'], termWorker, {
    workers: WORKERS,
  }),
  bounce('term-api', 'SIGTERM to the API', ['api told to stop'], termApi),
  bounce('term-redis', 'SIGTERM to Redis', ['redis told to stop'], bounceRedis('term')),
  bounce(
    'term-postgres',
    'SIGTERM, then SIGINT to Postgres',
    ['postgres told to stop'],
    termPostgres,
    LOSSY,
  ),
];
