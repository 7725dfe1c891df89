/**
 * List prices of Render in US dollars a month: one file of data, to renew from render.com/pricing, together with its date.
 * Plans named as in render.yaml; a size that is not here is priced as none.
 */

export type Size = { readonly plan: string; readonly usd: number };
type InstanceSize = Size & { readonly cores: number };
type PostgresSize = Size & {
  readonly cores: number;
  readonly memoryGb: number;
  readonly connections: number;
};
type RedisSize = Size & { readonly memoryGb: number };

export type Tier = {
  readonly name: 'free' | 'starter' | 'pro';
  readonly api: InstanceSize;
  /** Null: the tier has no worker. */
  readonly worker: InstanceSize | null;
  /** Cheapest first. */
  readonly postgres: readonly PostgresSize[];
  readonly redis: readonly RedisSize[];
  /** Price of the disk of Postgres; null: nothing up to `diskGbMax`. */
  readonly diskUsdPerGb: number | null;
  readonly diskGbMax: number;
};

const STARTER: InstanceSize = { plan: 'starter', usd: 7, cores: 0.5 };
const STANDARD: InstanceSize = { plan: 'standard', usd: 25, cores: 1 };
const DISK_USD_PER_GB = 0.3;
const DISK_GB_MAX = 16_000;

const REDIS: readonly RedisSize[] = [
  { plan: 'starter', usd: 10, memoryGb: 0.25 },
  { plan: 'standard', usd: 32, memoryGb: 1 },
  { plan: 'pro', usd: 135, memoryGb: 5 },
  { plan: 'pro plus', usd: 250, memoryGb: 10 },
];

export const PRICES: { readonly asOf: string; readonly tiers: readonly Tier[] } = {
  asOf: '2026-05-04',
  tiers: [
    {
      name: 'free',
      api: { plan: 'free', usd: 0, cores: 0.1 },
      worker: null,
      postgres: [{ plan: 'free', usd: 0, cores: 0.1, memoryGb: 0.25, connections: 97 }],
      redis: [{ plan: 'free', usd: 0, memoryGb: 0.025 }],
      diskUsdPerGb: null,
      diskGbMax: 1,
    },
    {
      name: 'starter',
      api: STARTER,
      worker: STARTER,
      postgres: [
        { plan: 'basic-256mb', usd: 6, cores: 0.1, memoryGb: 0.25, connections: 97 },
        { plan: 'basic-1gb', usd: 19, cores: 0.5, memoryGb: 1, connections: 97 },
        { plan: 'basic-4gb', usd: 75, cores: 2, memoryGb: 4, connections: 97 },
      ],
      redis: REDIS,
      diskUsdPerGb: DISK_USD_PER_GB,
      diskGbMax: DISK_GB_MAX,
    },
    {
      name: 'pro',
      api: STANDARD,
      worker: STANDARD,
      postgres: [
        { plan: 'pro-4gb', usd: 55, cores: 1, memoryGb: 4, connections: 97 },
        { plan: 'pro-8gb', usd: 100, cores: 2, memoryGb: 8, connections: 197 },
        { plan: 'pro-16gb', usd: 200, cores: 4, memoryGb: 16, connections: 397 },
        { plan: 'pro-32gb', usd: 400, cores: 8, memoryGb: 32, connections: 497 },
        { plan: 'pro-64gb', usd: 800, cores: 16, memoryGb: 64, connections: 497 },
      ],
      redis: REDIS,
      diskUsdPerGb: DISK_USD_PER_GB,
      diskGbMax: DISK_GB_MAX,
    },
  ],
};
