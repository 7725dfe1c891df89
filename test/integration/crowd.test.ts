/**
 * Goal: of a crowd that comes at once, on connections of its own, those who are refused do not wait until the
 * bodies of those who are let in have been parsed. Method: more than twice as many batches a second as one API
 * takes, at a steady rate, whether they are answered or not.
 */
import { Agent, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { RUNNING_API_KEY, startRunningApi } from '../support/running-api.ts';
import { input } from '../support/submit.ts';

/** Answered one after the other before the crowd comes: code that has never run is slow. */
const WARM_UP = 40;
const BATCHES = 800;
const BATCHES_PER_SECOND = 900;
const BATCH = 100;
const TICK_MS = 2;
/** Seen on two cores: 27 to 112; parsed one behind the other, 700 and more. */
const REFUSAL_P90_MS_MAX = 300;

type Answer = { readonly status: number; readonly ms: number };

function post(agent: Agent, url: string, body: Buffer): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const startedMs = performance.now();
  const headers = {
    Authorization: `Bearer ${RUNNING_API_KEY}`,
    'Content-Type': 'application/json',
    'Content-Length': body.byteLength,
  };
  const path = `${url}/v1/transactions/batch`;
  const posted = request(path, { agent, method: 'POST', headers }, (response) => {
    const ms = performance.now() - startedMs;
    response.resume().on('end', () => resolve({ status: response.statusCode ?? 0, ms }));
  });
  posted.on('error', reject);
  posted.end(body);
  return promise;
}

test('those who are refused do not wait for those who are let in', async () => {
  await using api = await startRunningApi();
  using agents = new DisposableStack();
  const agent = agents.adopt(new Agent({ keepAlive: true, maxSockets: 256 }), (one) =>
    one.destroy(),
  );
  const makeBody = () =>
    Buffer.from(JSON.stringify({ transactions: Array.from({ length: BATCH }, () => input()) }));
  for (let n = 0; n < WARM_UP; n++) await post(agent, api.url, makeBody());
  const bodies = Array.from({ length: BATCHES }, makeBody);
  const answers: Promise<Answer>[] = [];
  const startedMs = performance.now();
  while (answers.length < BATCHES) {
    const due = ((performance.now() - startedMs) / 1000) * BATCHES_PER_SECOND;
    for (const body of bodies.slice(answers.length, due)) answers.push(post(agent, api.url, body));
    await delay(TICK_MS);
  }
  const seen = await Promise.all(answers);
  expect(new Set(seen.map(({ status }) => status))).toEqual(new Set([200, 503]));
  const refusedMs = seen.filter(({ status }) => status === 503).map(({ ms }) => ms);
  const p90 = refusedMs.sort((one, other) => one - other)[Math.floor(refusedMs.length * 0.9)];
  expect(p90).toBeLessThan(REFUSAL_P90_MS_MAX);
});
