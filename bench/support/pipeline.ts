/**
 * The whole engine for one measurement: services in a fresh folder, the API and workers as processes
 * of their own. Disposing it drains the roles, stops the services and removes the folder.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '../../src/embedded/free-port.ts';
import type { Log } from '../../src/runtime/log.ts';
import { type RoleProcess, spawnRole, untilReady } from './role-process.ts';
import { makeRunFolder } from './run-folder.ts';
import { type Services, startServices } from './services.ts';

export type PipelineOptions = {
  readonly workers: number;
  /** Over the defaults, for the API and the workers alike. */
  readonly environment: Readonly<Record<string, string>>;
  readonly nodeFlags: readonly string[] | undefined;
  readonly profileFolder: string | undefined;
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly onProgress: (text: string) => void;
};

export type Pipeline = {
  readonly folder: string;
  readonly services: Services;
  readonly apiKey: string;
  readonly apiPort: number;
  readonly api: RoleProcess;
  readonly workers: readonly RoleProcess[];
  [Symbol.asyncDispose](): Promise<void>;
};

/** A key is needed and guards nothing: the engine of a bench lives on the loopback for minutes. */
const API_KEY = 'bench-key-of-a-database-that-is-thrown-away';

export async function startPipeline(options: PipelineOptions): Promise<Pipeline> {
  const { signal, log, onProgress } = options;
  await using opened = new AsyncDisposableStack();
  const { path: folder } = opened.use(await makeRunFolder('risk-bench'));
  const dataDir = join(folder, 'data');
  const services = opened.use(await startServices({ dataDir, log, signal, onProgress }));
  const logFolder = join(folder, 'logs');
  await mkdir(logFolder);
  const shared = {
    logFolder,
    nodeFlags: options.nodeFlags,
    profileFolder: options.profileFolder,
    environment: {
      DATABASE_URL: services.databaseUrl,
      REDIS_URL: services.redisUrl,
      RISK_BOOTSTRAP_KEY: API_KEY,
      ...options.environment,
    },
  };
  const start = async (role: 'api' | 'worker', name: string) => {
    const process = spawnRole({ ...shared, role, name, port: await freePort() });
    opened.defer(() => (process.hasEnded() ? undefined : process.stop()));
    return await untilReady(process, signal);
  };
  onProgress('starting the API and the workers');
  const api = await start('api', 'api');
  const workers: RoleProcess[] = [];
  for (let n = 1; n <= options.workers; n++) workers.push(await start('worker', `worker-${n}`));
  const owned = opened.move();
  return {
    ...{ folder, services, api, workers },
    apiKey: API_KEY,
    apiPort: Number(new URL(api.url).port),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
