/**
 * The whole engine for one measurement: services in a fresh folder, the API and workers as processes
 * of their own. Disposing it drains the roles, stops the services and removes the folder.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '../../src/tools/start/services/free-port.ts';
import { addIndexes, checkOutBare } from '../bare/checkout.ts';
import type { BenchContext, BenchTable, Settings } from './bench.ts';
import { type Cap, openCgroups } from './cgroup.ts';
import { type Role, type RoleProcess, spawnRole, untilReady } from './role-process.ts';
import { makeRunFolder } from './run-folder.ts';
import { type Services, startServices } from './services.ts';

export type PipelineOptions = {
  readonly workers: number;
  /** Settings in place of the defaults, for the API and the workers alike. */
  readonly settings: Settings;
  readonly nodeFlags?: readonly string[] | undefined;
  readonly profileFolder?: string | undefined;
  /**
   * The command in place of `bin/risk ROLE`, for a pipeline that is not the engine's: program and arguments, or
   * `bare`.
   */
  readonly program?: readonly string[] | 'bare' | undefined;
  /** bin/risk of another checkout, in place of bin/risk of this checkout. */
  readonly launcher?: string | undefined;
  /** Caps each process of a role. */
  readonly caps?: Readonly<Partial<Record<Role, Cap>>> | undefined;
  /** Settings of Postgres in place of those that a user gets. */
  readonly postgresSettings?: Readonly<Record<string, string>> | undefined;
  /** Holds the data, and is kept after the run; by default a folder of this run alone. */
  readonly keptFolder?: string | undefined;
  /** Called when the schema is there and before any role runs. */
  readonly prepare?: ((services: Services) => Promise<void>) | undefined;
};

export type Pipeline = {
  readonly folder: string;
  readonly services: Services;
  readonly apiKey: string;
  readonly apiPort: number;
  readonly api: RoleProcess;
  /** All roles that were started and not stopped yet. */
  readonly workers: readonly RoleProcess[];
  /** Starts this many more at once; resolves to them when all are ready. */
  startWorkers(count: number): Promise<readonly RoleProcess[]>;
  /** Drains all workers. */
  stopWorkers(): Promise<void>;
  /** How far the processes used their caps; without rows where none has one. */
  capTable(): BenchTable;
  [Symbol.asyncDispose](): Promise<void>;
};

/**
 * The API demands a key, which protects nothing here: the engine of a bench listens on the loopback for
 * minutes.
 */
export const API_KEY = 'bench-key-of-a-database-that-is-thrown-away';

export async function startPipeline(
  options: PipelineOptions,
  { signal, log, output }: BenchContext,
): Promise<Pipeline> {
  await using opened = new AsyncDisposableStack();
  const cgroups = options.caps === undefined ? undefined : opened.use(await openCgroups());
  const { path: folder } = opened.use(await makeRunFolder('risk-bench'));
  const dataDir = options.keptFolder ?? join(folder, 'data');
  const bare = options.program === 'bare' ? await checkOutBare(folder) : undefined;
  const launcher = bare?.launcher ?? options.launcher;
  const { postgresSettings } = options;
  const services = opened.use(
    await startServices({ dataDir, log, signal, launcher, postgresSettings }),
  );
  if (bare !== undefined) await addIndexes(services.database);
  await options.prepare?.(services);
  const logFolder = join(folder, 'logs');
  await mkdir(logFolder);
  const shared = {
    logFolder,
    launcher: options.launcher,
    nodeFlags: options.nodeFlags,
    profileFolder: options.profileFolder,
    program: options.program === 'bare' ? bare?.program : options.program,
    environment: {
      DATABASE_URL: services.databaseUrl,
      REDIS_URL: services.redisUrl,
      RISK_BOOTSTRAP_KEY: API_KEY,
      ...options.settings,
    },
  };
  const processes = opened.use(new AsyncDisposableStack());
  const start = async (role: Role, name: string) => {
    const cap = options.caps?.[role];
    const within = cap && cgroups?.make(name, cap);
    const process = spawnRole({ ...shared, role, name, within, port: await freePort() });
    processes.defer(() => (process.hasEnded() ? undefined : process.stop()));
    return await untilReady(process, signal);
  };
  const workers: RoleProcess[] = [];
  let workersStarted = 0;
  const startWorkers = async (count: number) => {
    const names = Array.from({ length: count }, () => `worker-${++workersStarted}`);
    const started = await Promise.all(names.map((name) => start('worker', name)));
    workers.push(...started);
    return started;
  };
  output.note('starting the API and the workers');
  const api = await start('api', 'api');
  await startWorkers(options.workers);
  const owned = opened.move();
  return {
    ...{ folder, services, api, workers, startWorkers },
    stopWorkers: async () => {
      await Promise.all(workers.splice(0).map((worker) => worker.stop()));
    },
    capTable: () => cgroups?.table() ?? { title: 'capped', rows: [] },
    apiKey: API_KEY,
    apiPort: Number(new URL(api.url).port),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
