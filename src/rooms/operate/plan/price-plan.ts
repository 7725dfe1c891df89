/** Prices a plan: a month and a million transactions, by tier and by corridor. */
import type { Calibration } from './calibration.ts';
import { type Connections, type Fleet, fleetFor, type Plan, postgresMemoryGb } from './plan.ts';
import type { Tier } from './prices.ts';

export type Cost = {
  readonly tier: Tier['name'];
  /** Why the tier does not carry the load; then all figures are null. */
  readonly lacks: string | null;
  readonly api: string | null;
  readonly worker: string | null;
  readonly postgres: string | null;
  readonly redis: string | null;
  readonly connections: number | null;
  readonly usdAMonth: number | null;
  readonly usdAMillion: number | null;
  /** Dollars a month, by corridor. */
  readonly corridors: Readonly<Record<string, number>> | null;
};

const MILLION = 1e6;

export function priceOf(tier: Tier, plan: Plan, measured: Calibration, each: Connections): Cost {
  const nothing = { api: null, worker: null, postgres: null, redis: null, connections: null };
  const lacking = (lacks: string): Cost => ({
    ...{ tier: tier.name, lacks, ...nothing },
    ...{ usdAMonth: null, usdAMillion: null, corridors: null },
  });
  const { api, worker, diskUsdPerGb, diskGbMax } = tier;
  if (worker === null) return lacking('a worker');
  if (plan.diskGb > diskGbMax) return lacking('a disk so large');
  const fleet = fleetFor(plan, { api: api.cores, worker: worker.cores }, each);
  const postgres = postgresOf(tier, plan, measured, fleet);
  if (postgres === undefined) return lacking('a Postgres so large');
  const redis = tier.redis.find(({ memoryGb }) => memoryGb >= plan.redis.maxmemoryGb);
  if (redis === undefined) return lacking('a Redis so large');
  const disk = plan.diskGb * (diskUsdPerGb ?? 0);
  const usdAMonth =
    fleet.api * api.usd + fleet.worker * worker.usd + postgres.usd + redis.usd + disk;
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

function postgresOf(
  tier: Tier,
  plan: Plan,
  measured: Calibration,
  { connections, connectionsMax }: Fleet,
) {
  const memory = postgresMemoryGb(plan, measured, connections);
  return tier.postgres.find(
    (size) =>
      size.cores >= (plan.cores.postgres ?? 0) &&
      size.memoryGb >= memory &&
      size.connections >= connectionsMax,
  );
}
