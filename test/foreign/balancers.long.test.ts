/**
 * Goal: rolling restarts of two APIs behind a balancer refuse no post. Method: nginx and HAProxy with the files of deploy/balancers, and
 * two APIs with the settings that they have by default; 300 posts a second, while one API after the other is stopped and started.
 */
import { spawn, spawnSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePort } from '../../src/tools/start/services/free-port.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { REPOSITORY, type RiskProcess, spawnRisk, watch } from '../support/risk.ts';
import { startTestRedis, type TestService } from '../support/services.ts';
import { input } from '../support/submit.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { waitUntil } from '../support/wait-until.ts';

/** Twenty restarts take six minutes: RISK_TEST_RESTARTS=20. */
const RESTARTS = Number(process.env['RISK_TEST_RESTARTS'] ?? 4);
const POSTS_PER_SECOND = 300;
const TICK_MS = 10;
const RESTART_MS_MAX = 60_000;
const KEY = 'balancers-test-key-of-at-least-32-characters';

type Balancer = {
  readonly program: string;
  readonly file: string;
  readonly args: (file: string) => string[];
  /** The whole configuration, of which the file is a part. */
  readonly around: (lines: string, folder: string) => string;
};

const NGINX: Balancer = {
  program: 'nginx',
  file: 'nginx.conf',
  args: (file) => ['-c', file, '-e', 'stderr', '-g', 'daemon off;'],
  around: (lines, folder) => {
    const folders = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
    const temporary = folders.map((name) => `${name}_temp_path ${folder}/${name};`).join('\n');
    return `pid ${folder}/pid; events {} http { access_log off; ${temporary}\n${lines} }`;
  },
};

const HAPROXY: Balancer = {
  program: 'haproxy',
  file: 'haproxy.cfg',
  args: (file) => ['-db', '-f', file],
  around: (lines) => lines,
};

const isHere = ({ program }: Balancer) => spawnSync(program, ['-v']).error === undefined;

let database: TestDatabase;
let redis: TestService;
beforeAll(async () => {
  database = await createTestDatabase();
  redis = await startTestRedis();
});
afterAll(async () => {
  await redis[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

/** The documented file, with the port of the balancer and the addresses of the APIs. */
async function linesFor({ file }: Balancer, port: number, ports: readonly number[]) {
  const lines = await readFile(join(REPOSITORY, 'deploy/balancers', file), 'utf8');
  const listening = lines.replace(/(listen |bind :)80\b/, (own) => own.replace('80', `${port}`));
  return ports.reduce(
    (file, port, at) => file.replace(`10.0.0.${at + 1}:8080`, `127.0.0.1:${port}`),
    listening,
  );
}

async function startApi(port: number): Promise<RiskProcess> {
  const api = spawnRisk(['api'], {
    DATABASE_URL: database.url,
    REDIS_URL: redis.url,
    RISK_BOOTSTRAP_KEY: KEY,
    PORT: `${port}`,
    // The default, in place of the setting of other tests.
    RISK_SHUTDOWN_GRACE_MS: '',
  });
  const isReady = () =>
    fetch(`http://127.0.0.1:${port}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    );
  await waitUntil(isReady, RESTART_MS_MAX, `an API: ${api.stdout()}${api.stderr()}`);
  return api;
}

/**
 * Posts at an even rate until it is stopped, and counts the answers by status and problem. A post that a busy machine sheds is sent
 * again, as documented: the engine has answered it, and no restart has refused it.
 */
function startPosting(port: number) {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  const answers: Record<string, number> = {};
  const pending = new Set<Promise<void>>();
  const count = (answer: string) => {
    answers[answer] = (answers[answer] ?? 0) + 1;
  };
  const post = (body = JSON.stringify(input())) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const headers = { Authorization: `Bearer ${KEY}`, 'Content-Type': 'application/json' };
    const target = { host: '127.0.0.1', port, path: '/v1/transactions', method: 'POST' };
    const sent = request({ ...target, headers, agent }, async (response) => {
      const problem = /urn:[a-z:-]+/.exec(await text(response))?.[0] ?? '';
      if (problem === 'urn:risk:problem:overloaded') {
        shed += 1;
        await delay(Number(response.headers['retry-after']) * 1000);
        post(body);
      } else count(`${response.statusCode} ${problem}`.trim());
      resolve();
    });
    sent.on('error', (error) => {
      count(error.message);
      resolve();
    });
    sent.end(body);
    pending.add(promise);
    void promise.then(() => pending.delete(promise));
  };
  const beganMs = performance.now();
  let [posts, shed] = [0, 0];
  const timer = setInterval(() => {
    const due = ((performance.now() - beganMs) / 1000) * POSTS_PER_SECOND;
    for (; posts < due; posts += 1) post();
  }, TICK_MS);
  return async () => {
    clearInterval(timer);
    while (pending.size > 0) await Promise.all(pending);
    agent.destroy();
    return { answers, shed };
  };
}

/** @returns the answers to all posts by status */
async function roll(balancer: Balancer): Promise<Record<string, number>> {
  await using stack = new AsyncDisposableStack();
  const folder = temporaryFolder();
  const [port = 0, ...ports] = [await freePort(), await freePort(), await freePort()];
  const apis = await Promise.all(ports.map(startApi));
  stack.defer(async () => {
    for (const api of apis) await api[Symbol.asyncDispose]();
  });
  const file = join(folder, `${balancer.program}.conf`);
  await writeFile(file, balancer.around(await linesFor(balancer, port, ports), folder));
  const running = stack.use(watch(spawn(balancer.program, balancer.args(file))));
  const isServing = () =>
    fetch(`http://127.0.0.1:${port}/livez`).then(
      ({ ok }) => ok,
      () => false,
    );
  await waitUntil(isServing, 5000, `${balancer.program}: ${running.stderr()}`);
  const stopPosting = startPosting(port);
  await delay(1000);
  for (let restart = 0; restart < RESTARTS; restart += 1) {
    const at = restart % apis.length;
    apis[at]?.kill('SIGTERM');
    expect(await apis[at]?.exited).toEqual({ code: 0, signal: null });
    apis[at] = await startApi(ports[at] ?? 0);
  }
  await delay(1000);
  const { answers, shed } = await stopPosting();
  running.kill('SIGTERM');
  await running.exited;
  process.stdout.write(
    `${balancer.program}, ${RESTARTS} restarts: ${JSON.stringify(answers)}, ${shed} sent again\n`,
  );
  return answers;
}

const { here = [], missing = [] } = Object.groupBy([NGINX, HAPROXY], (balancer) =>
  isHere(balancer) ? 'here' : 'missing',
);

test.each(here)(
  'no post is refused by rolling restarts behind $program',
  { timeout: (RESTARTS + 1) * RESTART_MS_MAX },
  async (balancer) => {
    const { 201: accepted = 0, ...refused } = await roll(balancer);
    expect(refused).toEqual({});
    expect(accepted).toBeGreaterThan(POSTS_PER_SECOND * RESTARTS);
  },
);

test.skip.each(missing)('$program is not on the PATH, and restarts behind it are not tried', () => {
  expect.unreachable();
});
