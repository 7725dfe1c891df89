/** The shipped files in a folder of their own with an `.env`, and the containers that compose makes of them. */
import { randomBytes } from 'node:crypto';
import { appendFileSync, cpSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { sumMetric } from '../../bench/support/metrics.ts';
import { freePort } from '../../src/tools/start/services/free-port.ts';
import { askApi } from '../chaos/support/ask.ts';
import type { Engine } from '../chaos/support/engine.ts';
import type { ChaosServices, ServicesOptions } from '../chaos/support/services.ts';
import { openSessions, patientQuery } from '../chaos/support/sessions.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';
import { waitUntil } from '../support/wait-until.ts';
import { ROOT, readText } from '../unit/ship/ship-files.ts';
import { openDocker } from './docker.ts';
import { makeImages } from './images.ts';
import { watchMemory } from './memory.ts';

export const WORKERS = 5;
const HEALTHY_MS = 60_000;
/** Postgres is away while all containers are made anew. */
const DOWN_MS_MAX = 600_000;
const ROLES = ['api', 'worker', 'trainer'];
const SHIPPED = ['Dockerfile', 'docker-compose.yml', '.dockerignore', 'deploy'];
/** Settings of `.env` beside passwords, for each role. */
export const SHOWN = { RISK_TRUSTED_PROXIES: '10.0.0.0/8', RISK_TRACE_SLOW_MS: '4321' };

export type Container = {
  readonly id: string;
  readonly name: string;
  readonly service: string;
  readonly pid: number;
  readonly memoryBytes: number;
  readonly isHealthy: boolean;
  readonly address: string;
};

/** As `docker inspect` says it. */
type Inspected = {
  readonly Id: string;
  readonly Name: string;
  readonly Config: { readonly Labels: Readonly<Record<string, string>> };
  readonly HostConfig: { readonly Memory: number };
  readonly State: {
    readonly Pid: number;
    readonly Status: string;
    readonly Health?: { Status: string };
  };
  readonly NetworkSettings: { readonly Networks: Readonly<Record<string, { IPAddress: string }>> };
};

export type Site = Awaited<ReturnType<typeof openSite>>;

/** Builds the image and starts its containers. */
export async function openSite({ folder, launcher, signal }: ServicesOptions) {
  await using opened = new AsyncDisposableStack();
  const docker = opened.use(await openDocker(folder));
  const missing = await makeImages(docker, folder);
  const root = join(folder, 'site');
  for (const name of SHIPPED) cpSync(join(ROOT, name), join(root, name), { recursive: true });
  for (const [, name = ''] of readText('.dockerignore').matchAll(/^!(.+)$/gm))
    cpSync(join(dirname(dirname(launcher)), name), join(root, name), { recursive: true });
  const [port, password, apiKey] = [await freePort(), secret(), secret()];
  const set = (settings: Readonly<Record<string, string | number>>) => {
    const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`);
    appendFileSync(join(root, '.env'), lines.join(''));
  };
  set({ POSTGRES_PASSWORD: password, REDIS_PASSWORD: password, RISK_PUBLISH_PORT: port });
  set({ RISK_BOOTSTRAP_KEY: apiKey, ...SHOWN });
  const compose = (...args: readonly string[]) => docker.run(['compose', ...args], root);

  const containers = async (): Promise<Container[]> => {
    const ids = await docker.list('ps', '--all');
    if (ids.length === 0) return [];
    const inspected: Inspected[] = JSON.parse(await docker.run(['inspect', ...ids]));
    return inspected.map(({ Id: id, Name, Config, HostConfig, State, NetworkSettings }) => ({
      ...{ id, name: Name.slice(1), pid: State.Pid, memoryBytes: HostConfig.Memory },
      service: Config.Labels['com.docker.compose.service'] ?? '',
      address: Object.values(NetworkSettings.Networks)[0]?.IPAddress ?? '',
      isHealthy: ['healthy', 'running'].includes(State.Health?.Status ?? State.Status),
    }));
  };
  /** Containers that stay, without those that have done their work. */
  const staying = async () => (await containers()).filter(({ service }) => service !== 'migrate');
  const find = async (service: string): Promise<Container> => {
    const found = (await staying()).find((one) => one.service === service);
    if (found === undefined) throw new Error(`there is no container of ${service}`);
    return found;
  };
  const until = async (what: string, isSo: (one: Container) => boolean | Promise<boolean>) => {
    const look = async () => {
      const all = await staying().catch(() => []);
      const isMissing = all.filter(({ service }) => service === 'worker').length < WORKERS;
      return isMissing || (await Promise.all(all.map(isSo))).includes(false) ? undefined : all;
    };
    return await waitUntil(look, HEALTHY_MS, what);
  };
  const untilHealthy = () => until('health of all containers', ({ isHealthy }) => isHealthy);
  /** By the word of the processes themselves, which Docker asks every 15 s alone. */
  const untilReady = () =>
    until('all containers to be ready', async ({ service, address, isHealthy }) => {
      if (!ROLES.includes(service)) return isHealthy;
      const url = `http://${address}:${service === 'api' ? 8080 : 9090}/readyz`;
      return (await fetch(url, { signal }).catch(() => undefined))?.ok === true;
    });
  const up = () => compose('up', '-d', '--scale', `worker=${WORKERS}`);

  const memory = opened.use(watchMemory(staying));
  await compose('build');
  const startedMs = performance.now();
  await up();
  await untilReady();
  const readySeconds = Math.round((performance.now() - startedMs) / 1000);
  const urls = async () => ({
    postgres: `postgres://risk:${password}@${(await find('postgres')).address}:5432/risk`,
    redis: `redis://:${password}@${(await find('redis')).address}:6379`,
  });
  const first = await urls();
  const postgres = opened.use(await startTcpProxy(first.postgres));
  const redis = opened.use(await startTcpProxy(first.redis));
  const sessions = { databaseUrl: postgres.url, redisUrl: redis.url };
  const { pool, client } = opened.use(openSessions(sessions));
  const url = `http://127.0.0.1:${port}`;
  type Asked = 'ask' | 'apiKey' | 'apiUrls' | 'drains' | 'running' | 'isComplete';
  const engine: Pick<Engine, Asked> & AsyncDisposable = {
    ...{ apiKey, apiUrls: [url], drains: [], running: () => [], isComplete: () => false },
    ask: (...asked) => askApi({ url, apiKey, signal }, ...asked),
    [Symbol.asyncDispose]: async () => undefined,
  };
  const owned = opened.move();
  const services = {
    ...{ ...sessions, engineUrls: sessions, client, engine },
    query: patientQuery(() => pool, signal, DOWN_MS_MAX),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
  return {
    ...{ docker, compose, set, up, root, missing, readySeconds, memory },
    ...{ containers, find, untilReady, untilHealthy },
    /** Containers have other addresses once they are made anew, or their engine is. */
    follow: async () => {
      const now = await waitUntil(() => urls().catch(() => undefined), HEALTHY_MS, 'stores');
      postgres.leadTo(now.postgres);
      redis.leadTo(now.redis);
    },
    /** SIGKILL for the first process of a container, from outside; the container has to come back by itself. */
    kill: async ({ id, pid }: Container) => {
      process.kill(pid, 'SIGKILL');
      const isBack = async () => {
        const found = (await containers()).find((one) => one.id === id);
        return found !== undefined && found.pid !== pid && found.pid > 0;
      };
      await waitUntil(isBack, HEALTHY_MS, `${id} to start again`);
    },
    scoredBy: async ({ address }: Container) => {
      const metrics = await fetch(`http://${address}:9090/metrics`, { signal });
      return sumMetric(await metrics.text(), 'risk_transactions_scored_total');
    },
    services: services as unknown as ChaosServices,
  };
}

const secret = () => randomBytes(24).toString('hex');
