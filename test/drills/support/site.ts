/**
 * Where a drill happens: a server of Postgres as an operator has it, a Redis, and the commands of the documents with the settings
 * that lead to both. The engine, the suite's own sessions and the checker follow to another server.
 */
import { execFile } from 'node:child_process';
import { chownSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { serviceAccount } from '../../../src/tools/start/services/account.ts';
import { findRedis } from '../../../src/tools/start/services/redis.ts';
import {
  type ChaosServices,
  type ServicesOptions,
  startServices,
} from '../../chaos/support/services.ts';
import { openSessions, patientQuery, type ServiceUrls } from '../../chaos/support/sessions.ts';
import { blocksOf } from './page.ts';
import { findPostgresBin, findRedisCli } from './programs.ts';
import type { Releases } from './releases.ts';
import { openServer, type Server } from './server.ts';

type Settings = Readonly<Record<string, string>>;

export type Site = ChaosServices & {
  /** bin/risk of the engine under test, or of the newer release. */
  readonly launcher: string;
  /** bin/risk of the first processes. */
  readonly firstLauncher: string;
  /** The server that runs first. */
  readonly server: Server;
  /** Runs commands of a shell, with `own` settings besides those of the site. @returns what they print */
  run(commands: string, own?: Settings): Promise<string>;
  /** Runs the nth block of commands below a heading of a page of docs/. */
  runPage(page: string, heading: string, nth: number, own?: Settings): Promise<string>;
  /** Another server of Postgres, without a cluster yet. */
  openServer(name: string): Promise<Server>;
  /** Another Redis, which is empty. @returns its URL */
  startRedis(): Promise<string>;
  /** From now on these are the stores. */
  moveTo(server: Server, urls?: Partial<ServiceUrls>): void;
};

const COMMANDS_MS_MAX = 120_000;
const OUTPUT_BYTES_MAX = 16 * 1024 * 1024;

/** @param releases those that the drill goes to and fro between */
export async function startSite(
  options: ServicesOptions,
  releases: Releases | undefined,
): Promise<Site> {
  const { folder, signal } = options;
  const { older, newer: launcher } = releases ?? {
    older: options.launcher,
    newer: options.launcher,
  };
  const [account, bin] = [serviceAccount(), findPostgresBin()];
  const source = await findRedis({ account, signal, environment: process.env });
  const { PATH: redisBin, ...redisSettings } = findRedisCli(source);
  await using opened = new AsyncDisposableStack();
  const makeFolder = (...names: string[]) => {
    const path = join(folder, ...names);
    mkdirSync(path);
    chownSync(path, account.uid, account.gid);
    return path;
  };
  const first = await openServer({ bin, account, services: makeFolder('first') });
  const services = opened.use(
    await startServices({
      ...{ ...options, postgresBin: bin, launcher: older },
      openPostgres: async () => {
        await first.startEmpty();
        return first;
      },
    }),
  );
  let sessions = opened.use(openSessions(services));
  let server = first;
  let now: ServiceUrls = services;
  const backup = makeFolder('backup');
  makeFolder('backup', 'wal');
  const root = dirname(dirname(launcher));
  const today = new Date().toISOString().slice(0, 10);
  const environment = (): Settings => ({
    ...{ PATH: `${bin}:${redisBin}:${process.env['PATH']}`, HOME: '/', TZ: 'UTC' },
    ...{ ...redisSettings, ...settingsOf(server), BACKUP: backup },
    ...{ DUMP: `${backup}/risk-${today}`, BASE: `${backup}/base-${today}` },
    ...{ DATABASE_URL: site.databaseUrl, REDIS_URL: site.redisUrl },
    REDIS_ADMIN_URL: site.redisUrl.replace('redis://:', 'redis://default:'),
  });
  const run = async (commands: string, own: Settings = {}) => {
    const isEngine = commands.includes('bin/risk');
    const { stdout } = await promisify(execFile)('/bin/sh', ['-eu', '-c', commands], {
      ...{ cwd: isEngine ? root : '/', env: { ...environment(), ...own } },
      // The commands that speak to Postgres' folder are those of its user.
      ...(isEngine ? {} : account),
      ...{ signal, timeout: COMMANDS_MS_MAX, maxBuffer: OUTPUT_BYTES_MAX },
    });
    return stdout;
  };
  const owned = opened.move();
  const site: Site = {
    ...{ ...services, launcher, server: first, run },
    firstLauncher: older,
    runPage: (page, heading, nth, own) => {
      const text = readFileSync(join(root, 'docs', page), 'utf8');
      const block = blocksOf(text, heading)[nth];
      if (block === undefined) throw new Error(`${page} has no block ${nth} below ${heading}`);
      return run(block, own);
    },
    openServer: async (name) =>
      owned.use(await openServer({ bin, account, services: makeFolder(name) })),
    startRedis: async () => owned.use(await services.startReplica()).url,
    moveTo: (next, urls) => {
      server = next;
      now = { databaseUrl: next.url, redisUrl: site.redisUrl, ...urls };
      sessions = owned.use(openSessions(now));
    },
    query: patientQuery(() => sessions.pool, signal),
    get client() {
      return sessions.client;
    },
    get databaseUrl() {
      return now.databaseUrl;
    },
    get redisUrl() {
      return now.redisUrl;
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
  return site;
}

/** Settings by which commands find a server of Postgres, and its folder on the machine where they run. */
export const settingsOf = ({ adminUrl, folder, port }: Server): Settings => ({
  ...{ ADMIN_URL: adminUrl, PGDATA: folder, PGPORT: String(port) },
  BACKUP_URL: `postgres://backup:PASSWORD@127.0.0.1:${port}/`,
});
