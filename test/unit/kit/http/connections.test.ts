/**
 * Goal: no reader holds an answer or a drain by taking nothing, and a server that stops lets balancers go elsewhere first. Method: a
 * server whose answers have no end, sockets that do not read, and kept connections.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { Hono } from 'hono';
import { afterEach, expect, test } from 'vitest';
import type { AppEnv } from '../../../../src/kit/http/app-env.ts';
import { type Serving, serve, toListener } from '../../../../src/kit/http/serve.ts';
import { waitUntil } from '../../../support/wait-until.ts';

const UNTAKEN_MS = 1000;
const PIECE_BYTES = 24 * 1024 * 1024;
/** As long as a balancer of Google keeps a connection. */
const LONG_KEPT_MS = 620_000;

let givenUp = 0;
const app = new Hono<AppEnv>();
app.get('/endless', () => {
  const pull = (controller: ReadableStreamDefaultController) =>
    controller.enqueue(new Uint8Array(64 * 1024));
  const cancel = () => {
    givenUp += 1;
  };
  return new Response(new ReadableStream({ pull, cancel }));
});
app.get('/piece', () => new Response(new Uint8Array(PIECE_BYTES)));
app.get('/quick', (c) => c.text('quick'));

const opened: Disposable[] = [];
afterEach(() => {
  for (const some of opened.splice(0)) some[Symbol.dispose]();
  givenUp = 0;
});

const start = (options: { readonly untakenMs?: number; readonly idleMs?: number } = {}) =>
  serve(toListener(app), { host: '127.0.0.1', port: 0, ...options });

const head = (path: string) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;

/** A connection that has asked for the path and reads nothing. */
function ask({ url }: Serving, path: string): Socket {
  const socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1' }).pause();
  socket.on('error', () => undefined);
  opened.push({ [Symbol.dispose]: () => socket.destroy() });
  socket.write(head(path));
  return socket;
}

async function answerOn(socket: Socket): Promise<string> {
  const [answer] = await once(socket.resume(), 'data');
  return String(answer);
}

test('a reader that takes nothing of an answer is cut off, though it goes on sending', async () => {
  const serving = await start({ untakenMs: UNTAKEN_MS });
  const socket = ask(serving, '/endless');
  const sending = setInterval(() => socket.write('\r\n'), UNTAKEN_MS / 8);
  opened.push({ [Symbol.dispose]: () => clearInterval(sending) });
  await waitUntil(() => givenUp === 1, 5000, 'the answer to be given up');
  await serving.close();
});

test('a reader that takes a little of one long piece at a time gets all of it', async () => {
  const serving = await start({ untakenMs: UNTAKEN_MS });
  const socket = ask(serving, '/piece');
  const beganMs = performance.now();
  let taken = 0;
  socket.on('data', (bytes: Buffer) => {
    taken += bytes.length;
    socket.pause();
  });
  while (taken < PIECE_BYTES && !socket.destroyed) {
    socket.resume();
    await delay(UNTAKEN_MS / 80);
  }
  expect(taken).toBeGreaterThan(PIECE_BYTES);
  // The whole takes longer than a reader that takes nothing has.
  expect(performance.now() - beganMs).toBeGreaterThan(2 * UNTAKEN_MS);
  await serving.close();
});

test('a drain waits for no reader that takes nothing', async () => {
  const serving = await start();
  ask(serving, '/endless');
  ask(serving, '/piece');
  await answerOn(ask(serving, '/quick'));
  const beganMs = performance.now();
  await serving.close();
  expect(performance.now() - beganMs).toBeLessThan(10_000);
  await waitUntil(() => givenUp === 1, 5000, 'the answer to be given up');
});

test('a server that retires answers on, each time for the last time of the connection, and ends idle ones last', async () => {
  const serving = await start();
  const [used, idle] = [ask(serving, '/quick'), ask(serving, '/quick')];
  for (const socket of [used, idle]) {
    expect(await answerOn(socket)).toMatch(/^connection: keep-alive\r$/im);
  }
  const retired = serving.retire(1000);
  used.write(head('/quick'));
  expect(await answerOn(used)).toMatch(/^connection: close\r$/im);
  await once(used, 'close');
  const fresh = await fetch(`${serving.url}/quick`);
  expect([fresh.status, fresh.headers.get('connection')]).toEqual([200, 'close']);
  const isRefused = () =>
    fetch(serving.url).then(
      () => false,
      () => true,
    );
  await waitUntil(isRefused, 5000, 'new connections to be refused');
  expect(idle.destroyed).toBe(false);
  idle.write(head('/quick'));
  expect(await answerOn(idle)).toMatch(/^connection: close\r$/im);
  await retired;
  await serving.close();
});

test('a server that retires keeps the connection of a body that it refuses before its end', async () => {
  const serving = await start();
  void serving.retire(0);
  const socket = ask(serving, '/quick');
  await once(socket.resume(), 'close');
  const early = connect({ port: Number(new URL(serving.url).port), host: '127.0.0.1' });
  early.write('POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n');
  expect(await answerOn(early)).toMatch(/^connection: keep-alive\r$/im);
  early.write(`{}${head('/quick')}`);
  expect(await answerOn(early)).toMatch(/^connection: close\r$/im);
  await serving.close();
});

test('connections are kept for as long as is set, also beyond the longest silence of a request', async () => {
  const serving = await start({ idleMs: LONG_KEPT_MS });
  const answer = await answerOn(ask(serving, '/quick'));
  expect(answer).toMatch(new RegExp(`^keep-alive: timeout=${LONG_KEPT_MS / 1000}\r$`, 'im'));
  await serving.close();
});
