/**
 * Goal: rolling restarts of two APIs behind a balancer refuse no post, and a balancer lets through what the API takes. Method: nginx and
 * HAProxy with the files of deploy/balancers, and two APIs with the settings that they have by default; 300 posts a second, while one
 * API after the other is stopped and started. Then one API with the longest wait, and one request of each kind.
 */
import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { freePort } from '../../src/tools/start/services/free-port.ts';
import { createTestDatabase } from '../support/database.ts';
import { openForFile } from '../support/open-for-file.ts';
import { type RiskProcess, spawnRisk } from '../support/risk.ts';
import { startTestRedis } from '../support/services.ts';
import { input } from '../support/submit.ts';
import { waitUntil } from '../support/wait-until.ts';
import { type Balancer, HAPROXY, isHere, NGINX, startBalancer } from './balancers.ts';

/** Twenty restarts take six minutes: RISK_TEST_RESTARTS=20. */
const RESTARTS = Number(process.env['RISK_TEST_RESTARTS'] ?? 4);
const POSTS_PER_SECOND = 300;
const TICK_MS = 10;
const RESTART_MS_MAX = 60_000;
vi.setConfig({ testTimeout: (RESTARTS + 1) * RESTART_MS_MAX });
const KEY = 'balancers-test-key-of-at-least-32-characters';

const database = await openForFile(createTestDatabase());
const redis = await openForFile(startTestRedis());

async function startApi(port: number, settings = {}): Promise<RiskProcess> {
  const api = spawnRisk(['api'], {
    DATABASE_URL: database.url,
    REDIS_URL: redis.url,
    RISK_BOOTSTRAP_KEY: KEY,
    PORT: `${port}`,
    // The default, in place of the setting of other tests.
    RISK_SHUTDOWN_GRACE_MS: '',
    ...settings,
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
  const [port = 0, ...ports] = [await freePort(), await freePort(), await freePort()];
  const apis = await Promise.all(ports.map((api) => startApi(api)));
  stack.defer(async () => {
    for (const api of apis) await api[Symbol.asyncDispose]();
  });
  stack.use(await startBalancer(balancer, port, ports));
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
  process.stdout.write(
    `${balancer.program}, ${RESTARTS} restarts: ${JSON.stringify(answers)}, ${shed} sent again\n`,
  );
  return answers;
}

const BODY_BYTES_MAX = 8 * 1024 * 1024;
/** Longer than nginx (60 s), and HAProxy as Debian sets it (50 s), wait for an answer. */
const WAIT_SECONDS = 60;
const LINE_MS_MAX = 10_000;
const AUTHORIZED = { Authorization: `Bearer ${KEY}` };

type Sending = { method?: string; headers?: Record<string, string>; body?: string; from?: string };

/** Sends a request from an address of the loopback network, again where a busy engine asks for that. */
async function ask(port: number, path: string, sending: Sending = {}) {
  const { method = 'POST', headers = AUTHORIZED, body = '', from = '127.0.0.1' } = sending;
  const options = { host: '127.0.0.1', localAddress: from, port, path, method, headers };
  for (;;) {
    const sent = request(options).end(body);
    // A body that is refused stops being read.
    sent.on('error', () => undefined);
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    const { statusCode: status, headers } = response;
    const answer = { status, headers, text: await text(response) };
    if (status !== 503 || headers['retry-after'] === undefined) return answer;
    await delay(Number(headers['retry-after']) * 1000);
  }
}

/** Posts a transaction behind which blanks stand. @returns `stored`, or the status and the problem of the engine if there is one */
async function postBody(port: number, bytes: number, preferred = {}): Promise<string> {
  const body = JSON.stringify(input()).padEnd(bytes);
  const headers = { ...AUTHORIZED, 'Content-Type': 'application/json', ...preferred };
  const { status = 0, text } = await ask(port, '/v1/transactions', { headers, body });
  if (status === 201 || status === 200) return 'stored';
  return `${status} ${/urn:[a-z:-]+/.exec(text)?.[0] ?? ''}`.trim();
}

/** Sends a line once the line before is answered. @returns what is answered to each */
async function postLines(port: number): Promise<string[]> {
  const headers = { ...AUTHORIZED, 'Content-Type': 'application/x-ndjson' };
  const path = '/v1/transactions/batch';
  const sent = request({ host: '127.0.0.1', port, path, method: 'POST', headers });
  const answers: string[] = [];
  const answer = (text: string) => answers.push(text);
  sent.on('error', ({ message }) => answer(message));
  sent.on('response', (response) =>
    response.on('data', (line) => answer(/"status":"(\w+)"/.exec(line)?.[1] ?? `${line}`)),
  );
  for (const expected of [1, 2]) {
    sent.write(`${JSON.stringify(input())}\n`);
    const isAnswered = () => answers.length >= expected;
    await waitUntil(isAnswered, LINE_MS_MAX, 'the answer').catch((error) => answer(`${error}`));
  }
  sent.destroy();
  return answers;
}

/** Listens until the first event. @returns its name */
async function listen(port: number): Promise<string | undefined> {
  const headers = { ...AUTHORIZED, Accept: 'text/event-stream' };
  const signal = AbortSignal.timeout(LINE_MS_MAX);
  const response = await fetch(`http://127.0.0.1:${port}/v1/live`, { headers, signal });
  for await (const bytes of response.body ?? [])
    return /^event: \w+/.exec(`${Buffer.from(bytes)}`)?.[0];
  return undefined;
}

/** Asks with unknown keys from one address, and once from another. @returns the statuses of both */
async function askAsStrangers(port: number): Promise<number[][]> {
  const statusFrom = async (from: string, number: number) => {
    const headers = {
      Authorization: `Bearer unknown-${from}-${number}`,
      'X-Forwarded-For': `192.0.2.${number}`,
    };
    return (await ask(port, '/v1/status', { method: 'GET', headers, from })).status ?? 0;
  };
  const flood = await Promise.all(Array.from({ length: 30 }, (_, n) => statusFrom('127.0.0.2', n)));
  return [[...new Set(flood)].toSorted(), [await statusFrom('127.0.0.3', 0)]];
}

/** Logs in and out as the console does. @returns the status of the log-out, which needs an Origin that is the Host */
async function logOut(port: number): Promise<number | undefined> {
  const { headers, text } = await ask(port, '/v1/sessions');
  const id = (JSON.parse(text) as { session_id: string }).session_id;
  const Cookie = headers['set-cookie']?.[0]?.split(';')[0] ?? '';
  const own = { Cookie, Origin: `http://127.0.0.1:${port}`, 'X-Risk-Console': '1' };
  return (await ask(port, `/v1/sessions/${id}`, { method: 'DELETE', headers: own })).status;
}

const { here = [], missing = [] } = Object.groupBy([NGINX, HAPROXY], (balancer) =>
  isHere(balancer) ? 'here' : 'missing',
);

test.each(here)('no post is refused by rolling restarts behind $program', async (balancer) => {
  const { 201: accepted = 0, ...refused } = await roll(balancer);
  expect(refused).toEqual({});
  expect(accepted).toBeGreaterThan(POSTS_PER_SECOND * RESTARTS);
});

test.each(here)(
  'large bodies, lines, events, long waits, addresses and logins pass $program',
  async (balancer) => {
    await using stack = new AsyncDisposableStack();
    const [port, apiPort] = [await freePort(), await freePort()];
    stack.use(
      await startApi(apiPort, {
        RISK_TRUSTED_PROXIES: '127.0.0.1',
        RISK_UNKNOWN_KEYS_PER_SECOND: '1',
        RISK_WAIT_MS_MAX: `${WAIT_SECONDS * 1000}`,
      }),
    );
    stack.use(await startBalancer(balancer, port, [apiPort, apiPort]));
    // No worker runs, so that the post waits for as long as it may.
    const waited = postBody(port, 0, { Prefer: `wait=${WAIT_SECONDS}` });
    expect({
      largest: await postBody(port, BODY_BYTES_MAX),
      larger: await postBody(port, BODY_BYTES_MAX + 1),
      event: await listen(port),
      strangers: await askAsStrangers(port),
      loggedOut: await logOut(port),
      lines: await postLines(port),
      waited: await waited,
    }).toEqual({
      largest: 'stored',
      larger: '413 urn:risk:problem:too-large',
      event: 'event: history',
      strangers: [[401, 429], [401]],
      loggedOut: 204,
      lines: ['accepted', 'accepted'],
      waited: 'stored',
    });
  },
);

test.skip.each(missing)('$program is not on the PATH, and restarts behind it are not tried', () => {
  expect.unreachable();
});
