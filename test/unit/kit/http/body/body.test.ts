/** Goal: a body is waited for only where some of it is missing. Method: raw sockets, and a reader that counts waits. */
import { connect, type Socket } from 'node:net';
import { Hono } from 'hono';
import { afterAll, beforeEach, expect, test } from 'vitest';
import type { AppEnv } from '../../../../../src/kit/http/app-env.ts';
import { readJson } from '../../../../../src/kit/http/body/body.ts';
import { serve, toListener } from '../../../../../src/kit/http/serve.ts';
import { waitUntil } from '../../../../support/wait-until.ts';

let waits = 0;
const ended: boolean[] = [];
const limits = {
  ...{ bytesMax: 1000, timeoutMs: 5000, waitForCpu: async () => undefined },
  awaitBody: () => {
    waits++;
    return undefined;
  },
};
const app = new Hono<AppEnv>();
app.post('/echo', async (c) => {
  // Behind the check of a key, the parser has gone on by the time the body is requested.
  await Promise.resolve();
  c.env.incoming?.on('end', () => ended.push(true));
  return c.json((await readJson(c, limits)) as object);
});

const serving = await serve(toListener(app), { host: '127.0.0.1', port: 0 });
afterAll(() => serving.close());
beforeEach(() => {
  waits = 0;
  ended.length = 0;
});

const HEAD = 'POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n';
const post = (body: string) => `${HEAD}Content-Length: ${body.length}\r\n\r\n${body}`;

async function exchange(talk: (socket: Socket) => Promise<void> | void, answers: number) {
  const socket = connect({ port: Number(new URL(serving.url).port), host: '127.0.0.1' });
  let heard = '';
  socket
    .setEncoding('utf8')
    .setNoDelay()
    .on('data', (part) => {
      heard += part;
    });
  await talk(socket);
  const bodies = () => heard.match(/\{.*?\}/g) ?? [];
  await waitUntil(() => bodies().length === answers, 5000, 'the answers');
  socket.destroy();
  return bodies();
}

test('one that came with its head is read at once, and its stream ends', async () => {
  expect(await exchange((socket) => void socket.write(post('{"n":1}')), 1)).toEqual(['{"n":1}']);
  expect(waits).toBe(0);
  await waitUntil(() => ended.length === 1, 5000, 'the end of the body');
});

test('one that comes in parts is waited for', async () => {
  const request = post('{"n":1}');
  const inParts = async (socket: Socket) => {
    socket.write(request.slice(0, -3));
    await waitUntil(() => waits === 1, 5000, 'the wait for the rest');
    socket.write(request.slice(-3));
  };
  expect(await exchange(inParts, 1)).toEqual(['{"n":1}']);
});
