/**
 * Goal: clients that send their bodies a byte at a time keep nobody out, use little memory and are
 * disconnected. Method: an API with few slots and more trickling sockets than that.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { sumMetric } from '../../bench/support/metrics.ts';
import { RUNNING_API_KEY, type RunningApi, startRunningApi } from '../support/running-api.ts';
import { input, postBatch } from '../support/submit.ts';
import { waitUntil } from '../support/wait-until.ts';

const BYTE_EVERY_MS = 50;

/** Sends a head, then a byte now and then until the server closes. */
function trickle({ url }: RunningApi, type: string, byte: string) {
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
