/**
 * Goal: a client that takes nothing of an answer, or never ends a request, holds neither its connection nor a drain. Method: an API
 * whose clients write lines before they read, read no row of an export, or send blank lines for ever.
 */
import { connect, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import {
  RUNNING_API_KEY,
  type RunningApi,
  spawnRunningApi,
  startRunningApi,
} from '../support/running-api.ts';
import { count, input, postOne } from '../support/submit.ts';
import { waitUntil } from '../support/wait-until.ts';

/** More than any buffer between the API and the client holds of the answer to each line. */
const LINES = 60_000;
/** A drain that is held ends by force after 25 s, with exit code 1. */
const DRAIN_MS_MAX = 15_000;
const GRACE_MS = 2000;

const sockets: Socket[] = [];
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});

function begin({ url }: RunningApi, request: string, ...headers: string[]): Socket {
  const socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1' });
  sockets.push(socket.on('error', () => undefined));
  const all = ['Host: x', `Authorization: Bearer ${RUNNING_API_KEY}`, ...headers];
  socket.write(`${[`${request} HTTP/1.1`, ...all].join('\r\n')}\r\n\r\n`);
  return socket;
}

const beginLines = (api: RunningApi) => {
  const type = 'Content-Type: application/x-ndjson';
  const socket = begin(api, 'POST /v1/transactions/batch', type, 'Transfer-Encoding: chunked');
  const send = (text: string) => socket.write(`${text.length.toString(16)}\r\n${text}\r\n`);
  return { socket, send };
};

/** Sends one payment in the line of this place, and waits for the answer to it. */
async function sendPayment({ socket, send }: ReturnType<typeof beginLines>, place: number) {
  let heard = '';
  const hear = (bytes: Buffer) => {
    heard += bytes;
  };
  socket.on('data', hear);
  send(`${JSON.stringify(input())}\n`);
  const line = `{"index":${place},"status":"accepted"`;
  await waitUntil(() => heard.includes(line), 10_000, 'the line to be accepted');
  socket.off('data', hear);
}

/** Lines that are refused need no store, and their answers are long. */
function writeBeforeReading(api: RunningApi): Socket {
  const { socket, send } = beginLines(api);
  socket.pause();
  send('{"amount":1}\n'.repeat(LINES));
  return socket;
}

test('a client that writes lines before it reads is cut off, and the log says why', async () => {
  await using api = await startRunningApi({ RISK_EXPORT_IDLE_MS: '1000' });
  writeBeforeReading(api);
  await waitUntil(() => api.log().includes('a reader took nothing'), 10_000, 'the cut');
});

test('a drain beside clients that take nothing, or send blank lines for ever, ends soon and well', async () => {
  await using api = await spawnRunningApi();
  writeBeforeReading(api);
  const lines = beginLines(api);
  await sendPayment(lines, 0);
  const sending = setInterval(() => lines.send('\n'), 500);
  lines.socket.once('close', () => clearInterval(sending));
  const beganMs = performance.now();
  api.process.kill('SIGTERM');
  expect(await api.process.exited).toEqual({ code: 0, signal: null });
  expect(performance.now() - beganMs).toBeLessThan(DRAIN_MS_MAX);
});

test('told to stop, an API is not ready, and takes what a balancer still sends until its grace ends', async () => {
  await using api = await spawnRunningApi({ RISK_SHUTDOWN_GRACE_MS: `${GRACE_MS}` });
  const lines = beginLines(api);
  await sendPayment(lines, 0);
  api.process.kill('SIGTERM');
  const isUnready = async () => (await api.request('/readyz')).status === 503;
  await waitUntil(isUnready, 1000, 'the API to be unready');
  const { status, headers } = await postOne(api, input());
  expect([status, headers.get('connection')]).toEqual([201, 'close']);
  await sendPayment(lines, 1);
  expect(await count(api, 'transactions')).toBe(3);
  expect(await api.process.exited).toEqual({ code: 0, signal: null });
});
