/** Headers set through Node's own objects equal those set through fetch's. */
import { type IncomingHttpHeaders, request } from 'node:http';
import { Hono } from 'hono';
import { afterAll, expect, test } from 'vitest';
import { addHeaders, answerJson } from '../../../../../src/kit/http/answers/answer-headers.ts';
import { answerKept, KEEP_A_DAY } from '../../../../../src/kit/http/answers/kept.ts';
import type { AppEnv } from '../../../../../src/kit/http/app-env.ts';
import { frameRequests } from '../../../../../src/kit/http/edge.ts';
import { serve, toListener } from '../../../../../src/kit/http/serve.ts';
import { createMetrics } from '../../../../../src/kit/metrics/metrics.ts';

const NEVER_CHANGES = { id: 'a', score: 7 };
const KEPT = { text: JSON.stringify(NEVER_CHANGES) };
const ECHOED = ['authorization', 'content-type', 'x-twice', 'x-none'] as const;

const app = new Hono<AppEnv>();
app.use(frameRequests(createMetrics()));
app.use(async (c, next) => {
  await next();
  addHeaders(c, [['RateLimit', 'usual']]);
});
app.get('/echo', (c) => c.json(ECHOED.map((name) => c.req.header(name) ?? null)));
app.get('/own', () =>
  answerJson('{}', 201, { 'Cache-Control': 'private', RateLimit: 'own', Location: '/x' }),
);
app.get('/kept', (c) => answerKept(c, KEPT, KEEP_A_DAY));
app.get('/throws', () => {
  throw new Error('a bug');
});
app.onError(() => new Response('{}', { status: 500, headers: { 'Content-Type': 'x/y' } }));

const serving = await serve(toListener(app), { host: '127.0.0.1', port: 0 });
afterAll(() => serving.close());

type Answer = { status: number; headers: Readonly<Record<string, unknown>>; body: string };

async function overSocket(path: string, headers: readonly string[]): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const all = ['Host', 'localhost', ...headers];
  const asked = request(`${serving.url}${path}`, { headers: all as never }, (response) => {
    let body = '';
    response.setEncoding('utf8').on('data', (text: string) => {
      body += text;
    });
    response.on('end', () =>
      resolve({ status: response.statusCode ?? 0, headers: ours(response.headers), body }),
    );
  });
  asked.on('error', reject).end();
  return await promise;
}

async function withoutServer(path: string, headers: readonly string[]): Promise<Answer> {
  const given = new Headers();
  for (let at = 0; at < headers.length; at += 2) {
    given.append(headers[at] ?? '', headers[at + 1] ?? '');
  }
  const response = await app.request(path, { headers: given });
  const body = await response.text();
  return { status: response.status, headers: ours(Object.fromEntries(response.headers)), body };
}

/** The application's headers, without those that Node adds for the connection. */
function ours(headers: IncomingHttpHeaders): Readonly<Record<string, unknown>> {
  const { date, connection, 'keep-alive': _, 'content-length': __, ...rest } = headers;
  return rest;
}

const ID = ['X-Request-Id', 'same'];

test.each([
  ['/echo', []],
  [
    '/echo',
    ['Authorization', 'Bearer a', 'authorization', 'Bearer b', 'X-Twice', '1', 'x-twice', '2'],
  ],
  ['/echo', ['Content-Type', 'a/b', 'content-type', 'c/d']],
  ['/own', []],
  ['/kept', []],
  ['/throws', []],
  ['/nowhere', []],
])('%s with %j is answered alike with a server and without', async (path, headers) => {
  const given = [...ID, ...headers];
  const [served, called] = [await overSocket(path, given), await withoutServer(path, given)];
  expect(served).toEqual(called);
  expect(served.headers).toMatchObject({
    'x-request-id': 'same',
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
  });
});
