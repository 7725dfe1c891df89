/** The size of a site for a load far beyond this machine, and the part of it that breaks first. */
import { type Percentiles, percentiles } from '../support/percentiles.ts';
import type { Costs } from './costs.ts';
import type { Model } from './plant.ts';
import { type Outcome, simulate } from './simulate.ts';

export type Demand = {
  readonly requests: number;
  readonly readShare: number;
  /** Transactions of a post; the rate of posts is that of transactions by it. */
  readonly batch: number;
  readonly corridors: number;
  readonly users: number;
  readonly merchants: number;
  readonly readsMissed: number;
  readonly replicaShare: number;
  readonly postgresCores: number;
  /** Between machines, one way. */
  readonly hopMs: number;
  readonly flushMs: number;
  /** Microseconds that a transaction costs more, as no worker has its account in memory. */
  readonly coldWorkerUs: number;
  readonly coldRedisUs: number;
  /** Share of a processor, or of a Postgres, that is used at the load. */
  readonly utilisation: number;
};

export const DEMAND: Demand = {
  ...{ requests: 100_000, readShare: 0.9, batch: 1, corridors: 50 },
  ...{ users: 10_000_000, merchants: 100_000, readsMissed: 0.9, replicaShare: 0.8 },
  ...{ postgresCores: 16, hopMs: 0.25, flushMs: 1, utilisation: 0.6 },
  ...{ coldWorkerUs: 30, coldRedisUs: 10 },
};

/** Processor time of a transaction, of all processes of a role together. */
type Each = Readonly<Record<'api' | 'worker' | 'postgres' | 'redis', number>>;

export type Size = {
  readonly apis: number;
  readonly workers: number;
  /** Postgres primaries, each with a Redis and its part of the corridors. */
  readonly markets: number;
  /** Replicas of each market. */
  readonly replicas: number;
  readonly redisGb: number;
  readonly walMbPerSecond: number;
  readonly reads: Percentiles;
  readonly posts: Percentiles;
  readonly scored: Percentiles;
  readonly us: Each;
  /** Processors in use, of one market. */
  readonly cores: Readonly<Record<string, number>>;
};

/** Seconds that are simulated, and those of them that do not count. */
const [SECONDS, UNMEASURED] = [2, 0.5] as const;
/** Profiles: an account with 25 transactions and a merchant with 100, and what `maxmemory` has for them (docs/scale.md). */
const [ACCOUNT_BYTES, MERCHANT_BYTES, MAXMEMORY_FACTOR] = [2100, 7300, 1.6] as const;
/** A process may end at any moment. */
const PROCESSES_MIN = 2;
const MARKETS_MAX = 64;
/** A part that is busier than this may have more to do than it shows. */
const FULL = 0.9;
const ROUNDS = 8;
const FIRST = { apis: 40, workers: 8, replicas: 2 } as const;

type Counts = Pick<Size, 'apis' | 'workers' | 'replicas'>;

const transactionsOf = ({ requests, readShare }: Demand) => requests * (1 - readShare);

/** Runs a market under its part of the load. */
function run({ costs, waits, seed }: Model, demand: Demand, counts: Counts): Outcome {
  const { hopMs, flushMs, batch, requests, readShare, corridors } = demand;
  const { postgresCores, readsMissed, replicaShare } = demand;
  const cold: Costs = {
    ...costs,
    // No worker has an account's profile in memory, so none merges what others appended.
    worker: {
      ...costs.worker,
      transaction: costs.worker.transaction + demand.coldWorkerUs,
      mergedShare: 0,
    },
    redis: { ...costs.redis, folded: costs.redis.folded + demand.coldRedisUs },
  };
  return simulate(
    { costs: cold, waits: { ...waits, hopMs, flushMs }, seed },
    { ...counts, corridors, postgresCores, readsMissed, replicaShare },
    {
      ...{ posts: transactionsOf(demand) / batch, batch, reads: requests * readShare },
      ...{ isRandom: true, connections: Number.POSITIVE_INFINITY },
      ...{ seconds: SECONDS, unmeasured: UNMEASURED, transactionsMax: Number.POSITIVE_INFINITY },
    },
  );
}

const coresOf = ({ used, lasted }: Outcome): Record<string, number> =>
  Object.fromEntries(Object.entries(used).map(([role, { ms }]) => [role, ms / 1000 / lasted]));

/** Fewest markets, and processes of each, at which nothing is used more than the demand allows. */
function find(
  model: Model,
  demand: Demand,
  markets: number,
): { counts: Counts; made: Outcome } | null {
  const { utilisation, postgresCores } = demand;
  let counts: Counts = FIRST;
  // Shared commits and batches depend on how many processes there are.
  for (let round = 0; round < ROUNDS; round++) {
    const made = run(model, demand, counts);
    const cores = coresOf(made);
    const busy = (role: string, each: number, count: number) => (cores[role] ?? 0) / each / count;
    if (busy('postgres', postgresCores, 1) > utilisation || busy('redis', 1, 1) > utilisation) {
      if (markets < MARKETS_MAX) return null;
    }
    // A part that is full holds back what the others would have to do.
    const wanted = (role: string, each: number, count: number, least: number) =>
      busy(role, each, count) > FULL
        ? count * 2
        : Math.max(least, Math.ceil((busy(role, each, count) * count) / utilisation));
    const next: Counts = {
      apis: wanted('api', 1, counts.apis, PROCESSES_MIN),
      workers: wanted('worker', 1, counts.workers, PROCESSES_MIN),
      replicas: wanted('replica', postgresCores, counts.replicas, 1),
    };
    const isEnough =
      next.apis <= counts.apis &&
      next.workers <= counts.workers &&
      next.replicas <= counts.replicas;
    if (isEnough && round > 0) return { counts, made };
    counts = next;
  }
  return markets < MARKETS_MAX ? null : { counts, made: run(model, demand, counts) };
}

export function sizeOf(model: Model, demand: Demand, walBytes: number): Size {
  for (let markets = 1; ; markets++) {
    const part = partOf(demand, markets);
    const found = find(model, part, markets);
    if (found !== null) return toSize(demand, markets, found, walBytes);
  }
}

const partOf = (demand: Demand, markets: number): Demand => ({
  ...demand,
  requests: demand.requests / markets,
  corridors: Math.ceil(demand.corridors / markets),
});

function toSize(
  demand: Demand,
  markets: number,
  { counts, made }: { counts: Counts; made: Outcome },
  walBytes: number,
): Size {
  const cores = coresOf(made);
  const perSecond = transactionsOf(demand) / markets;
  const us = (role: string) => ((cores[role] ?? 0) * 1e6) / perSecond;
  const profiles = demand.users * ACCOUNT_BYTES + demand.merchants * MERCHANT_BYTES;
  return {
    ...{ apis: counts.apis * markets, workers: counts.workers * markets, markets, cores },
    replicas: counts.replicas,
    redisGb: (profiles * MAXMEMORY_FACTOR) / 1e9,
    walMbPerSecond: (transactionsOf(demand) * walBytes) / 1e6,
    ...waitsOf(made),
    us: { api: us('api'), worker: us('worker'), postgres: us('postgres'), redis: us('redis') },
  };
}

const waitsOf = ({ reads, posts, scored }: Outcome) => ({
  reads: percentiles(reads),
  posts: percentiles(posts),
  scored: percentiles(scored),
});

/** The same processes under shares of the load. */
export function sweep(model: Model, demand: Demand, size: Size, shares: readonly number[]) {
  const { markets, replicas } = size;
  const counts = { apis: size.apis / markets, workers: size.workers / markets, replicas };
  return shares.map((share) => {
    const part = partOf({ ...demand, requests: demand.requests * share }, markets);
    return { requests: demand.requests * share, ...waitsOf(run(model, part, counts)) };
  });
}

/** A disk of a managed Postgres writes so much a second for hours, bytes. */
const DISK_BYTES_PER_SECOND = 200e6;

/** Transactions a second at which one of each part is full, the first to break first. */
export function limitsOf({ us }: Size, demand: Demand, walBytes: number) {
  const limits = [
    { part: 'one API process', perSecond: 1e6 / us.api, isMultiplied: true },
    { part: 'one worker', perSecond: 1e6 / us.worker, isMultiplied: true },
    { part: "Redis' one thread", perSecond: 1e6 / us.redis, isMultiplied: false },
    {
      part: `the primary's ${demand.postgresCores} processors`,
      perSecond: (1e6 * demand.postgresCores) / us.postgres,
      isMultiplied: false,
    },
    {
      part: "the primary's log, 200 MB/s",
      perSecond: DISK_BYTES_PER_SECOND / walBytes,
      isMultiplied: false,
    },
  ];
  return limits.toSorted((a, b) => a.perSecond - b.perSecond);
}
