/**
 * The processes of the containers, run without a container: the files that the Dockerfile copies and nothing else,
 * the commands and environments of docker-compose.yml, the image's own health check, a key as Render
 * generates one. No container engine is needed; what one would add is isolation.
 */
import { spawn } from 'node:child_process';
import { cpSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { freePort } from '../../src/tools/start/services/free-port.ts';
import { createTestDatabase } from '../support/database.ts';
import { openForFile } from '../support/open-for-file.ts';
import { type RiskProcess, watch } from '../support/risk.ts';
import { startTestRedis } from '../support/services.ts';
import { waitUntil } from '../support/wait-until.ts';
import {
  execForm,
  lastOf,
  parseDockerfile,
  ROOT,
  readCompose,
  readText,
  type Stage,
  withDefaults,
} from '../unit/ship/ship-files.ts';

const image = parseDockerfile(readText('Dockerfile')).at(-1) as Stage;
const { services } = readCompose();
/** 256 bits in base64, as `generateValue` of Render and many secret stores give them. */
const BOOTSTRAP_KEY = 'q+7/1ZcJm4lT0hKQ9yXv5sBWnE2uGdRa8fVbC3iPoUk=';

/** The same in each run, so that its sources are compiled once. */
const folder = join(tmpdir(), 'risk-image', ROOT);
const database = await openForFile(createTestDatabase({ migrated: false }));
const redis = await openForFile(startTestRedis());

beforeAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  for (const { name, value } of image.instructions) {
    if (name !== 'COPY' || value.startsWith('--from=')) continue;
    const words = value.split(' ');
    const target = words.pop() ?? '';
    for (const source of words) {
      const to = target.endsWith('/') ? join(folder, target, source) : join(folder, target);
      cpSync(join(ROOT, source), to, { recursive: true });
    }
  }
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
});

/** ENV of the image, then the environment of the service, then where this test's stores are. */
function environmentOf(service: string, own: Record<string, string>): Record<string, string> {
  const ofImage = (lastOf(image, 'ENV') ?? '').split(/\s+/).map((pair) => {
    const [name = '', value = ''] = pair.split('=');
    return [name, value] as const;
  });
  const ofService = Object.entries(services[service]?.environment ?? {}).map(
    ([name, value]) => [name, withDefaults(String(value))] as const,
  );
  return {
    // The image's `node` is the pinned one.
    PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`,
    ...Object.fromEntries(ofImage),
    ...Object.fromEntries(ofService),
    DATABASE_URL: database.url,
    REDIS_URL: redis.url,
    ...own,
  };
}

type Container = RiskProcess & { readonly isHealthy: () => Promise<boolean> };

function run(service: string, own: Record<string, string> = {}): Container {
  const environment = environmentOf(service, own);
  const start = ([command = '', ...args]: readonly string[]) =>
    watch(spawn(command, args, { cwd: folder, env: environment }));
  const running = start(services[service]?.command ?? []);
  return {
    ...running,
    isHealthy: async () => {
      await using check = start(execForm(lastOf(image, 'HEALTHCHECK')));
      return (await check.exited).code === 0;
    },
  };
}

/** Asks the port until it answers, as a health check is a process of its own. */
async function becomeHealthy(container: Container, port: string): Promise<void> {
  const answers = () => fetch(`http://127.0.0.1:${port}/livez`).catch(() => undefined);
  await waitUntil(
    async () => container.hasExited() || (await answers())?.ok,
    20_000,
    `health: ${container.stderr()}`,
  );
  expect(await container.isHealthy(), container.stderr()).toBe(true);
}

it('migrates', async () => {
  await using migrate = run('migrate', { RISK_BOOTSTRAP_KEY: BOOTSTRAP_KEY });
  expect((await migrate.exited).code, migrate.stderr()).toBe(0);
});

it('serves with an API, a worker and a trainer, which end on SIGTERM', async () => {
  const ports = [await freePort(), await freePort(), await freePort()].map(String);
  const [port = '', workerPort = '', trainerPort = ''] = ports;
  await using api = run('api', {
    PORT: port,
    RISK_BOOTSTRAP_KEY: BOOTSTRAP_KEY,
    RISK_SHUTDOWN_GRACE_MS: '300',
  });
  await using worker = run('worker', { RISK_WORKER_PORT: workerPort });
  await using trainer = run('trainer', { RISK_WORKER_PORT: trainerPort });
  const all = [api, worker, trainer];
  for (const [at, container] of all.entries()) await becomeHealthy(container, ports[at] ?? '');
  // bin/risk became Node: the process that gets the signals is the engine itself.
  for (const { pid } of all)
    expect(readFileSync(`/proc/${pid}/comm`, 'utf8')).toMatch(/^node|^Main/);

  const accepted = await post(port, 200);
  await waitUntil(async () => (await countScores()) === accepted, 20_000, 'scores');

  for (const container of all) container.kill('SIGTERM');
  for (const container of all)
    expect(await container.exited, container.stderr()).toEqual({ code: 0, signal: null });
  expect(await worker.isHealthy()).toBe(false);
});

async function post(port: string, count: number): Promise<number> {
  const transactions = Array.from({ length: count }, (_, index) => ({
    idempotency_key: `container-${index}`,
    account_id: `acc_${index % 20}`,
    merchant_id: `m_${index % 5}`,
    amount: '12.50',
    currency: 'USD',
    corridor: 'US-EG',
  }));
  const answer = await fetch(`http://127.0.0.1:${port}/v1/transactions/batch`, {
    method: 'POST',
    headers: { authorization: `Bearer ${BOOTSTRAP_KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify({ transactions }),
  });
  const text = await answer.text();
  expect(answer.status, text).toBe(200);
  const { accepted } = JSON.parse(text) as { accepted: number };
  expect(accepted).toBe(count);
  return accepted;
}

async function countScores(): Promise<number> {
  const [row] = await database.sql<{ scores: string }>(
    `select count(*) as scores from ${database.market}.scores`,
  );
  return Number(row?.scores);
}
