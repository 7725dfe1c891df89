/**
 * Services that a test may stop, pause, kill and start again at the same address: a Redis for a test file, and
 * a durable Postgres of its own where the shared one is not enough.
 */
import { chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inject } from 'vitest';
import { serviceAccount } from '../../src/tools/start/services/account.ts';
import { findPostgres, startPostgres } from '../../src/tools/start/services/postgres.ts';
import { type RedisSource, startRedis } from '../../src/tools/start/services/redis.ts';
import { control, type TestService } from './service-control.ts';
import {
  copyCluster,
  makeServiceFolder,
  PASSWORD,
  type ServiceFolder,
  VOLATILE_POSTGRES,
} from './service-folder.ts';
import { backUpForStandby } from './standby.ts';

export type { TestService };

export type TestServiceOptions = {
  /** True: as in production, so data survives kill. False (default): no fsync, no append-only file. */
  readonly durable?: boolean;
  readonly settings?: Readonly<Record<string, string>>;
  /** Folder of another Postgres' programs, which make a cluster of their own. */
  readonly bin?: string;
  /** Makes the cluster in the folder `postgres` of the services, in place of the tests' own. */
  readonly makeCluster?: (folder: ServiceFolder) => Promise<void>;
  /** Another Redis than the tests' own. */
  readonly source?: RedisSource;
};

/** Keeps nothing on disk. */
const VOLATILE_REDIS = { appendonly: 'no' };

export async function startTestRedis(options: TestServiceOptions = {}): Promise<TestService> {
  const folder = makeServiceFolder();
  const source = options.source ?? inject('redisSource');
  const common = { ...folder, source, ...defaults(options, VOLATILE_REDIS) };
  const data = join(folder.services, 'redis');
  return within(folder, await control(data, (at) => startRedis({ ...common, ...at })));
}

export async function startTestPostgres(options: TestServiceOptions = {}): Promise<TestService> {
  const folder = makeServiceFolder();
  if (options.makeCluster !== undefined) await options.makeCluster(folder);
  else if (options.bin === undefined) copyCluster(inject('postgresCluster'), folder.services);
  return await controlPostgres(folder, options);
}

/**
 * Leaves the data folder of an engine as an earlier start leaves it, with the cluster of the tests: making a cluster takes a second
 * of processor time. An engine runs the embedded Postgres, so that a cluster of another one is left out.
 */
export function prepareDataFolder(dataDir: string): void {
  if (inject('postgresBin') !== '') return;
  const account = serviceAccount();
  const services = join(dataDir, 'services');
  mkdirSync(services, { recursive: true });
  chownSync(services, account.uid, account.gid);
  copyCluster(inject('postgresCluster'), services);
  writeFileSync(join(dataDir, 'password'), `${PASSWORD}\n`, { mode: 0o600 });
}

/** A streaming replica of a Postgres that runs with PRIMARY_SETTINGS. */
export async function startTestStandby(primaryUrl: string): Promise<TestService> {
  const folder = makeServiceFolder();
  await backUpForStandby(primaryUrl, folder.services, folder.account);
  return await controlPostgres(folder, {});
}

async function controlPostgres(
  folder: ReturnType<typeof makeServiceFolder>,
  options: TestServiceOptions,
): Promise<TestService> {
  const bin = options.bin ?? inject('postgresBin');
  const program = await findPostgres(folder.account, bin || undefined);
  const common = { ...folder, program, ...defaults(options, VOLATILE_POSTGRES) };
  const data = join(folder.services, 'postgres');
  const launch = (at: object) => startPostgres({ ...common, ...at });
  return within(folder, await control(data, launch, 'SIGQUIT'));
}

type Settings = Readonly<Record<string, string>>;

function defaults({ durable = false, settings }: TestServiceOptions, volatile: Settings) {
  const own = { ...(durable ? {} : volatile), ...settings };
  return { settings: own, signal: new AbortController().signal };
}

/** A service whose folder goes with it. */
function within(folder: Disposable, service: TestService): TestService {
  return {
    ...service,
    [Symbol.asyncDispose]: async () => {
      await service[Symbol.asyncDispose]();
      folder[Symbol.dispose]();
    },
  };
}
