/**
 * Goal: clients that send their bodies a byte at a time keep nobody out, use little memory and are
 * disconnected. Method: an API with few slots and more trickling sockets than that.
 */

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { sumMetric } from '../../bench/support/metrics.ts';
import { RUNNING_API_KEY, type RunningApi, startRunningApi } from '../support/running-api.ts';
import { input, postBatch, postOne } from '../support/submit.ts';
import { waitUntil } from '../support/wait-until.ts';

const BYTE_EVERY_MS = 50;

type Trickle = {
  readonly connected: Promise<unknown>;
  readonly heard: () => string;
  readonly closed: () => boolean;
} & Disposable;

/** Sends a head, then a byte now and then until the server closes. */
function trickle({ url }: RunningApi, type: string, byte: string): Trickle {
  const socket: Socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1' });
  let heard = '';
  socket.setEncoding('utf8').on('data', (part) => {
    heard += part;
  });
  socket.on('error', () => undefined);
  socket.write(
    `POST /v1/transactions/batch HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${RUNNING_API_KEY}\r\n` +
      `Content-Type: ${type}\r\nContent-Length: 100000\r\n\r\n{`,
  );
  const timer = setInterval(() => socket.write(byte), BYTE_EVERY_MS);
  socket.on('close', () => clearInterval(timer));
  return {
    connected: once(socket, 'connect'),
    heard: () => heard,
    closed: () => socket.destroyed,
    [Symbol.dispose]: () => socket.destroy(),
  };
}

const JSON_TYPE = 'application/json';

/** Ends the trickling sockets with the test. */
function trickles(api: RunningApi, count: number, type = JSON_TYPE, byte = ' ') {
  const sockets = Array.from({ length: count }, () => trickle(api, type, byte));
  return {
    sockets,
    [Symbol.dispose]: () => {
      for (const one of sockets) one[Symbol.dispose]();
    },
  };
}

async function isShed(api: RunningApi, reason: string, times: number): Promise<boolean> {
  const metrics = await (await api.request('/metrics')).text();
  return sumMetric(metrics, 'risk_http_requests_shed_total', { reason }) === times;
}

test('trickling bodies hold no place, and are 408 and closed at the deadline', async () => {
  await using api = await startRunningApi({
    RISK_REQUESTS_IN_FLIGHT_MAX: '2',
    // A post of the test has as long, on a machine that does much besides.
    RISK_REQUEST_TIMEOUT_MS: '5000',
  });
  using slow = new DisposableStack();
  const sockets: Trickle[] = [];
  // A request holds a slot while its key is looked up. This post makes the key known, and the later ones keep it so.
  const statuses = [(await postOne(api, input())).status];
  while (sockets.length < 4) {
    const socket = slow.use(trickle(api, JSON_TYPE, ' '));
    sockets.push(socket);
    await socket.connected;
    statuses.push((await postOne(api, input())).status);
  }
  const isOver = async () => {
    statuses.push((await postOne(api, input())).status);
    return sockets.some(({ closed }) => closed());
  };
  await waitUntil(isOver, 10_000, 'the deadline');
  expect(new Set(statuses)).toEqual(new Set([201]));
  await waitUntil(() => sockets.every(({ closed }) => closed()), 5000, 'all to be let go');
  for (const { heard } of sockets) {
    expect(heard()).toMatch(/^HTTP\/1\.1 408 [\s\S]*connection: close\r\n/i);
  }
});

test('beyond their number the slowest gives way', async () => {
  await using api = await startRunningApi({ RISK_BODIES_ARRIVING_MAX: '2' });
  using slow = trickles(api, 3);
  // The third body finds all room for arriving bodies taken by young ones.
  await waitUntil(() => isShed(api, 'arriving', 1), 5000, 'one to be refused');
  const body = Array.from({ length: 1000 }, () => input({ metadata: { text: 'x'.repeat(1000) } }));
  const answers: number[] = [];
  await waitUntil(
    async () => {
      answers.push((await postBatch(api, body)).status);
      return answers.at(-1) === 200;
    },
    8000,
    'a body of many packets to be taken',
  );
  expect(new Set(answers)).toEqual(new Set(answers.length === 1 ? [200] : [503, 200]));
  expect(slow.sockets.filter(({ heard }) => /^HTTP\/1\.1 503 /.test(heard()))).toHaveLength(2);
});

test('the connection of a refused body that trickles on is closed', async () => {
  await using api = await startRunningApi({ RISK_REQUESTS_IN_FLIGHT_MAX: '1' });
  using streams = trickles(api, 1, 'application/x-ndjson', '\n');
  await waitUntil(() => streams.sockets[0]?.heard() !== '', 5000, 'a stream to hold the place');
  using refused = trickles(api, 1, 'application/x-ndjson', '\n');
  const [one] = refused.sockets;
  await waitUntil(() => one?.closed() === true, 5000, 'the refused one to be let go');
  expect(one?.heard()).toMatch(/^HTTP\/1\.1 503 /);
  expect(streams.sockets[0]?.closed()).toBe(false);
});
