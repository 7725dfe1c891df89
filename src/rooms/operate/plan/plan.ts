/** The capacity plan: what a load takes, from the formula of the peak and from figures that were measured. */
import { z } from 'zod';
import type { Tier } from './prices.ts';

export type Demand = {
  /** Transactions a second at today's peak. */
  readonly tps: number;
  /** A month: 0.08 is 8 %. */
  readonly growth: number;
  readonly months: number;
  readonly seasonal: number;
  readonly interaction: number;
  readonly safety: number;
  /** The mean of a day as a share of its peak. */
  readonly mean: number;
  /** Parties in use within RISK_PROFILE_TTL_SECONDS. */
  readonly accounts: number;
  readonly merchants: number;
};

/** Connections of one process, as `countConnections` counts. */
export type Connections = {
  readonly api: number;
  readonly worker: number;
  readonly trainer: number;
};

export type Plan = ReturnType<typeof planCapacity>;

const GB = 1e9;
const DAY_SECONDS = 86_400;
const DAYS_A_MONTH = 365.2425 / 12;
/** A single post that waits takes so many bytes of Redis, and one of a batch (docs/scale.md). */
const WAITING_BYTES = { single: 390, batch: 160 } as const;
/** The backlog that Redis has room for: what the peak brings until autoscaling has acted. */
const WAITING_SECONDS = 300;
/** Profiles and backlog take so much of `maxmemory` that both stay (docs/scale.md). */
const MAXMEMORY_FACTOR = 2.2;
/** Disk for the log of Postgres, and a share that stays free. */
const [WAL_GB, FREE_DISK_FACTOR] = [4, 1.3];
/** An officer reviews 20 cases an hour for 8 hours, at the utilisation that the first review policy hires to. */
const [OFFICER_REVIEWS_A_DAY, OFFICER_UTILISATION] = [160, 0.8];

const positive = z.number().positive();

/** A file of JSON: `risk calibrate` measures its figures on a machine, and `risk plan` computes with them. */
export const calibrationSchema = z.strictObject({
  measured_at: z.iso.datetime(),
  /** Processor and number of cores. */
  machine: z.string(),
  seconds: positive,
  transactions: z.int().positive(),
  transactions_per_request: positive,
  /** Processor time of a transaction, microseconds; null where the server runs elsewhere, or its time cannot be read. */
  api_us: positive,
  worker_us: positive,
  postgres_us: positive.nullable(),
  redis_us: positive.nullable(),
  /** Everything that Postgres stores of a transaction, with indexes. */
  postgres_bytes_per_transaction: positive,
  /** A profile in Redis, on average; null where there was none. */
  redis_bytes_per_account: positive.nullable(),
  redis_bytes_per_merchant: positive.nullable(),
  /** Ratio within the profiles that were sampled. */
  merchants_per_account: z.number().nonnegative(),
  /** Share of the scores that people review. */
  review_ratio: z.number().min(0).max(1),
  /** Share of the transactions, by corridor. */
  corridors: z.record(z.string(), z.number().min(0).max(1)),
});
export type Calibration = z.infer<typeof calibrationSchema>;

/** A calibration is some kilobytes, with a line a corridor. */
export const CALIBRATION_BYTES_MAX = 1024 * 1024;
/** Name of the file in the data folder. */
export const CALIBRATION_FILE = 'calibration.json';

export type Cost = ReturnType<typeof priceOf>;

const MILLION = 1e6;

export function peakOf({ tps, growth, months, seasonal, interaction, safety }: Demand): number {
  return tps * (1 + growth) ** months * seasonal * interaction * safety;
}

/**
 * Plans cores for the peak, null where the processor time of a server was not measured; `rowsAMonth` are the rows of the last month.
 * @param utilisation share of a core that a process uses before another is started
 */
export function planCapacity(demand: Demand, measured: Calibration, utilisation: number) {
  const peakTps = peakOf(demand);
  const coresFor = (us: number) => (peakTps * us) / 1e6 / utilisation;
  const orNull = (us: number | null) => (us === null ? null : coresFor(us));
  const { redis_bytes_per_account: ofAccount, redis_bytes_per_merchant: ofMerchant } = measured;
  const profiles = demand.accounts * (ofAccount ?? 0) + demand.merchants * (ofMerchant ?? 0);
  const each = measured.transactions_per_request < 2 ? WAITING_BYTES.single : WAITING_BYTES.batch;
  const waiting = peakTps * WAITING_SECONDS * each;
  const months = monthsOf(demand, measured.postgres_bytes_per_transaction);
  const last = months.at(-1) ?? { rows: 0, diskGb: 0 };
  const reviewsADay = (last.rows / DAYS_A_MONTH) * measured.review_ratio;
  return {
    peakTps,
    cores: {
      api: coresFor(measured.api_us),
      worker: coresFor(measured.worker_us),
      postgres: orNull(measured.postgres_us),
      redis: orNull(measured.redis_us),
    },
    redis: {
      profilesGb: profiles / GB,
      waitingGb: waiting / GB,
      maxmemoryGb: ((profiles + waiting) * MAXMEMORY_FACTOR) / GB,
    },
    months,
    rowsAMonth: last.rows,
    diskGb: last.diskGb * FREE_DISK_FACTOR + WAL_GB,
    reviewsADay,
    officers: Math.ceil(reviewsADay / OFFICER_REVIEWS_A_DAY / OFFICER_UTILISATION),
  };
}

/** Rows of each month from this one to the last of the plan, and the disk that all of them take. */
function monthsOf({ tps, growth, months, mean }: Demand, bytesARow: number) {
  const first = tps * mean * DAY_SECONDS * DAYS_A_MONTH;
  let stored = 0;
  return Array.from({ length: months + 1 }, (_, month) => {
    const rows = first * (1 + growth) ** month;
    stored += rows;
    return { month, rows, diskGb: (stored * bytesARow) / GB };
  });
}

/** Processes of a role that each have `coresEach`, of which a role, being one thread, uses one core at most. */
const processesFor = (cores: number, coresEach: number): number =>
  Math.max(1, Math.ceil(cores / Math.min(1, coresEach)));

/** The engine stays below this share of the connections of Postgres, `connectionsMax`. */
const CONNECTIONS_SHARE = 0.7;

/** A market has one, whatever the load; it has the plan of a worker. */
const TRAINERS = 1;

export function fleetFor(
  { cores }: Plan,
  coresEach: { readonly api: number; readonly worker: number },
  each: Connections,
) {
  const api = processesFor(cores.api, coresEach.api);
  const worker = processesFor(cores.worker, coresEach.worker);
  const connections = api * each.api + worker * each.worker + TRAINERS * each.trainer;
  return { api, worker, connections, connectionsMax: Math.ceil(connections / CONNECTIONS_SHARE) };
}

/** Memory of a session of Postgres, of its other processes, and the least that its shared buffers take, GB. */
const [SESSION_GB, PROCESSES_GB, BUFFERS_GB_MIN] = [0.01, 0.25, 0.25];
/** Shared buffers are a quarter of the memory. */
const BUFFERS_SHARE = 0.25;
/** The buffers hold what is written between two checkpoints; the shipped Postgres makes one in 15 minutes. */
const CHECKPOINT_SECONDS = 900;

export function postgresMemoryGb(
  { rowsAMonth }: Plan,
  { postgres_bytes_per_transaction: bytes }: Calibration,
  connections: number,
): number {
  const rowsASecond = rowsAMonth / DAYS_A_MONTH / DAY_SECONDS;
  const writtenGb = (rowsASecond * CHECKPOINT_SECONDS * bytes) / GB;
  const buffers = Math.max(BUFFERS_GB_MIN, writtenGb);
  return Math.max(buffers / BUFFERS_SHARE, buffers + PROCESSES_GB + connections * SESSION_GB);
}

/** Prices a plan: dollars a month and a million transactions, by corridor; `lacks` says why the tier does not carry the load. */
export function priceOf(tier: Tier, plan: Plan, measured: Calibration, each: Connections) {
  const nothing = { api: null, worker: null, postgres: null, redis: null, connections: null };
  const lacking = (lacks: string) => ({
    ...{ tier: tier.name, lacks, ...nothing },
    ...{ usdAMonth: null, usdAMillion: null, corridors: null },
  });
  const { api, worker, diskUsdPerGb, diskGbMax } = tier;
  if (worker === null) return lacking('a worker');
  if (plan.diskGb > diskGbMax) return lacking('a disk so large');
  const fleet = fleetFor(plan, { api: api.cores, worker: worker.cores }, each);
  const memory = postgresMemoryGb(plan, measured, fleet.connections);
  const postgres = tier.postgres.find(
    (size) =>
      size.cores >= (plan.cores.postgres ?? 0) &&
      size.memoryGb >= memory &&
      size.connections >= fleet.connectionsMax,
  );
  if (postgres === undefined) return lacking('a Postgres so large');
  const redis = tier.redis.find(({ memoryGb }) => memoryGb >= plan.redis.maxmemoryGb);
  if (redis === undefined) return lacking('a Redis so large');
  const disk = plan.diskGb * (diskUsdPerGb ?? 0);
  const processesUsd = fleet.api * api.usd + (fleet.worker + TRAINERS) * worker.usd;
  const usdAMonth = processesUsd + postgres.usd + redis.usd + disk;
  const shares = Object.entries(measured.corridors);
  return {
    tier: tier.name,
    lacks: null,
    api: `${fleet.api} × ${api.plan}`,
    worker: `${fleet.worker} × ${worker.plan}`,
    postgres: `${postgres.plan}, ${Math.ceil(plan.diskGb)} GB`,
    redis: redis.plan,
    connections: fleet.connections,
    usdAMonth,
    usdAMillion: (usdAMonth / plan.rowsAMonth) * MILLION,
    corridors: Object.fromEntries(shares.map(([corridor, share]) => [corridor, share * usdAMonth])),
  };
}
