/**
 * Goal: bytes that are not HTTP are answered as such, and nothing else is. Method: raw sockets, a handler under
 * the test's control.
 */
import { once } from 'node:events';
import { connect } from 'node:net';
import { Hono } from 'hono';
import { afterAll, expect, test } from 'vitest';
import type { AppEnv } from '../../../../src/kit/http/app-env.ts';
import { serve, toListener } from '../../../../src/kit/http/serve.ts';
import { waitUntil } from '../../../support/wait-until.ts';

const handled: (() => void)[] = [];
const app = new Hono<AppEnv>();
app.post('/held', async (c) => {
  const { promise, resolve } = Promise.withResolvers<void>();
  handled.push(resolve);
  await promise;
  return c.json({ stored: true }, 201);
});

const serving = await serve(toListener(app), { host: '127.0.0.1', port: 0 });
afterAll(() => serving.close());

/** Collects bytes until the server closes the connection. */
function open() {
  const socket = connect({ port: Number(new URL(serving.url).port), host: '127.0.0.1' });
  const { promise: heard, resolve, reject } = Promise.withResolvers<string>();
  let text = '';
  socket.setEncoding('utf8').on('data', (part) => {
    text += part;
  });
  socket.on('close', () => resolve(text)).on('error', reject);
  return { socket, heard };
}

app.get('/names/:name', (c) => c.json([c.req.param('name'), c.req.query('name') ?? null]));

test.each([
  ['escaped', '/names/Jos%C3%A9?name=M%c3%bcller', ['Jos\u00e9', 'M\u00fcller']],
  ['with a % that escapes nothing', '/names/100%25?name=100%', ['100%', '100%']],
  ['with a lost character of its own', '/names/a?name=%EF%BF%BD', ['a', '\ufffd']],
  ['escaped as Windows-1252', '/names/a?name=M%FCller', 400],
  ['with a path that is escaped so', '/names/M%FCller', 400],
  ['with half a character', '/names/a?name=%C3', 400],
])('a URL %s is read as UTF-8 or refused', async (_name, target, read) => {
  const { socket, heard } = open();
  socket.write(`GET ${target}`);
  socket.write(' HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
  const [head = '', body = ''] = (await heard).split('\r\n\r\n');
  if (read === 400) {
    expect(head).toMatch(/^HTTP\/1\.1 400 /);
    expect(body).toContain('The URL has bytes that are not UTF-8');
  } else {
    expect(JSON.parse(body)).toEqual(read);
  }
});

const HEAD = 'POST /held HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n';
const statuses = (heard: string) => [...heard.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, one]) => one);

test.each(['\x00garbage', 'garbage\r\n\r\n'])(
  'a request that is whole is answered, whatever follows it, and is the last: %j',
  async (garbage) => {
    const { socket, heard } = open();
    socket.write(`${HEAD}{}${garbage}`);
    await waitUntil(() => handled.length === 1, 5000, 'the request to be handled');
    socket.write(garbage);
    handled.pop()?.();
    expect(statuses(await heard)).toEqual(['201']);
    expect(await heard).toMatch(/^connection: close\r$/im);
  },
);

/** A stranger who begins a request and never ends it would have each process killed in place of drained. */
test.each(['', 'GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n'])(
  'half a request does not hold up a shutdown, after %j',
  async (before) => {
    const other = await serve(toListener(app), { host: '127.0.0.1', port: 0 });
    const socket = connect({ port: Number(new URL(other.url).port), host: '127.0.0.1' });
    const half = `${before}GET /nothing HTTP/1.1\r\nHo`;
    await new Promise<void>((resolve) => socket.write(half, () => resolve()));
    await answerOf(other.url);
    await other.close();
    socket.destroy();
  },
);

test('a request whose end comes during a shutdown is answered', async () => {
  const other = await serve(toListener(app), { host: '127.0.0.1', port: 0 });
  const socket = connect({ port: Number(new URL(other.url).port), host: '127.0.0.1' });
  const half = HEAD.slice(0, -4);
  await new Promise<void>((resolve) => socket.write(half, () => resolve()));
  await answerOf(other.url);
  const closed = other.close();
  socket.write(`${HEAD.slice(-4)}{}`);
  await waitUntil(() => handled.length === 1, 5000, 'the request to be handled');
  handled.pop()?.();
  const [answer] = await once(socket, 'data');
  expect(statuses(String(answer))).toEqual(['201']);
  await closed;
});

/** By then the server has read what other connections sent before. */
async function answerOf(url: string): Promise<void> {
  await (await fetch(`${url}/nothing`)).text();
}
