/**
 * The engine under test: services, an API on a fixed port, and workers by name. One of each role is
 * the victim that rounds start, armed with a fault, and see die; the others keep running.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Role,
  type RoleProcess,
  spawnRole,
  untilReady,
} from '../../bench/support/role-process.ts';
import { makeRunFolder } from '../../bench/support/run-folder.ts';
import { type Services, startServices } from '../../bench/support/services.ts';
import { freePort } from '../../src/embedded/free-port.ts';
import type { Log } from '../../src/runtime/log.ts';

export type Fleet = {
  readonly services: Services;
  readonly apiUrl: string;
  readonly apiKey: string;
  readonly logFolder: string;
  /** Starts the victim of a role (there must be none running), armed when a failpoint is given. */
  startVictim(role: Role, failpoint?: string): RoleProcess;
  [Symbol.asyncDispose](): Promise<void>;
};

export type FleetOptions = {
  /** Besides the victim. */
  readonly steadyWorkers: number;
  /** False while the API is a victim itself. */
  readonly steadyApi: boolean;
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly onProgress: (text: string) => void;
};

/** Guards nothing: this engine lives on the loopback for minutes. */
const API_KEY = 'chaos-key-of-a-database-that-is-thrown-away';

/** Short waits, so that twenty recoveries fit into minutes; their relations are those of the defaults. */
export const SETTINGS = {
  RISK_BATCH_ENTRIES: '200',
  RISK_BATCH_DEADLINE_MS: '2000',
  RISK_CLAIM_IDLE_MS: '3000',
  RISK_RECONCILE_AGE_MS: '1000',
  // Every event is kept, so that each transaction's can be looked for.
  RISK_SCORED_EVENTS_MAX: '10000000',
} as const;

export async function startFleet(options: FleetOptions): Promise<Fleet> {
  const { log, signal, onProgress } = options;
  await using opened = new AsyncDisposableStack();
  const { path: folder } = opened.use(await makeRunFolder('risk-chaos'));
  const dataDir = join(folder, 'data');
  const services = opened.use(await startServices({ dataDir, log, signal, onProgress }));
  const logFolder = join(folder, 'logs');
  await mkdir(logFolder);
  const apiPort = await freePort();
  const victims = new Map<Role, RoleProcess>();
  const spawned: RoleProcess[] = [];
  opened.defer(() => stopAll(spawned));
  const spawn = (role: Role, name: string, port: number, failpoint?: string) => {
    const environment = {
      DATABASE_URL: services.databaseUrl,
      REDIS_URL: services.redisUrl,
      RISK_BOOTSTRAP_KEY: API_KEY,
      ...SETTINGS,
      ...(failpoint === undefined ? {} : { RISK_TEST_FAILPOINT: failpoint }),
    };
    const fresh = spawnRole({ role, name, port, environment, logFolder });
    spawned.push(fresh);
    return fresh;
  };
  onProgress('starting the API and the workers');
  if (options.steadyApi) await untilReady(spawn('api', 'api', apiPort), signal);
  for (let n = 1; n <= options.steadyWorkers; n++) {
    await untilReady(spawn('worker', `worker-${n}`, await freePort()), signal);
  }
  const workerPort = await freePort();
  const owned = opened.move();
  return {
    ...{ services, logFolder, apiKey: API_KEY },
    apiUrl: `http://127.0.0.1:${apiPort}`,
    startVictim: (role, failpoint) => {
      if (victims.get(role)?.hasEnded() === false) throw new Error(`the ${role} is still running`);
      const port = role === 'api' ? apiPort : workerPort;
      const victim = spawn(role, `victim-${role}`, port, failpoint);
      victims.set(role, victim);
      return victim;
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** A drain that does not end with exit code 0 fails the run. */
async function stopAll(processes: readonly RoleProcess[]): Promise<void> {
  const running = processes.filter((process) => !process.hasEnded());
  await Promise.all(running.map((process) => process.stop()));
}
