/** The budget of connections to Postgres: the sizes of all pools that a process opens, which `openDatabase` reads here. */
import type { Config } from '../config/config.ts';

type Sizes = Pick<Config, 'RISK_DATABASE_CONNECTIONS_MAX' | 'RISK_EXPORTS_MAX'>;

/** The connection that proves that Postgres takes writes. */
export const PROBES = 1;

/** Pools of an API process, by name. */
const API = {
  api: (config: Sizes) => config.RISK_DATABASE_CONNECTIONS_MAX,
  'api-searches': (config: Sizes) => Math.ceil(config.RISK_DATABASE_CONNECTIONS_MAX / 2),
  'api-exports': (config: Sizes) => config.RISK_EXPORTS_MAX,
  'api-probe': () => PROBES,
} as const;

/** Pools that each process opens, by the server. */
const POOLS = {
  api: API,
  worker: { worker: API.api, 'worker-probe': API['api-probe'] },
  /** An API process, on the replica. */
  replica: {
    api: API.api,
    'api-searches': API['api-searches'],
    'api-replica-probe': API['api-probe'],
  },
} as const;

type Process = keyof typeof POOLS;
export type PoolName = { [Name in Process]: keyof (typeof POOLS)[Name] }[Process];

const SIZES: Readonly<Record<string, ((config: Sizes) => number) | undefined>> = {
  ...POOLS.api,
  ...POOLS.worker,
  ...POOLS.replica,
};

/** Connections of a pool at most; undefined for a pool of a command. */
export const poolSize = (config: Sizes, name: string): number | undefined => SIZES[name]?.(config);

/** Connections that each process opens at most. */
export function countConnections(config: Sizes): Readonly<Record<Process, number>> {
  const sum = (name: Process) =>
    Object.values<(config: Sizes) => number>(POOLS[name]).reduce(
      (all, size) => all + size(config),
      0,
    );
  return { api: sum('api'), worker: sum('worker'), replica: sum('replica') };
}
