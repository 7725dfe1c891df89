/** Goal: only a plain read of a score in memory is answered in front of the application. Method: raw requests to a server. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, expect, test } from 'vitest';
import { createMetrics } from '../../../../src/kit/metrics/metrics.ts';
import type { Role } from '../../../../src/kit/words/principal.ts';
import { answerHotScores } from '../../../../src/rooms/search/api.ts';

const ROLES: Readonly<Record<string, Role>> = { reads: 'analyst', runs: 'operator' };
const metrics = createMetrics();
const server = createServer(
  answerHotScores((_request, response) => response.end('application'), {
    recall: ({ token }) => {
      const role = ROLES[token];
      const roles = new Set(role === undefined ? [] : [role]);
      return role && { keyId: token, client: 'shop', owner: 'test', identity: null, roles };
    },
    peek: ({ transactionId, client }) =>
      transactionId === 'kept' ? { answer: { text: `é ${client}` }, ageMs: 1500 } : undefined,
    metrics,
    degradation: () => 0,
    isPlain: () => true,
  }),
).listen(0, '127.0.0.1');
await once(server, 'listening');
afterAll(() => server.close());

async function ask(
  target = '/v1/scores/kept',
  headers: readonly string[] = [],
  { method = 'GET', key = 'reads', host = 'localhost' } = {},
): Promise<string> {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const own = [`Host: ${host}`, `Authorization: Bearer ${key}`, 'Connection: close'];
  socket.end([`${method} ${target} HTTP/1.1`, ...own, ...headers, '', ''].join('\r\n'));
  return await text(socket);
}

test.each([
  ['a score that is not in memory', '/v1/scores/other', []],
  ['another route', '/v1/scores/kept/habit', []],
  ['a query', '/v1/scores/kept?a=b', []],
  ['an escape', '/v1/scores/%6Bept', []],
  ['a session', '/v1/scores/kept', ['Cookie: a=b']],
  ['a preference', '/v1/scores/kept', ['Prefer: read=primary']],
  ['an entity tag', '/v1/scores/kept', ['If-None-Match: *']],
  ['two keys', '/v1/scores/kept', ['Authorization: Bearer other']],
])('%s is for the application', async (_name, target, headers) => {
  expect(await ask(target, headers)).toMatch(/\r\n\r\napplication$/);
});

test.each([
  ['another method', { method: 'DELETE' }],
  ['a key that is not known', { key: 'new' }],
  ['a login link', { key: 'risk_login_x' }],
  ['a key without the role', { key: 'runs' }],
  ['an unusual host', { host: 'a_b' }],
  ['a port that is none', { host: 'localhost:99999' }],
])('%s is for the application', async (_name, options) => {
  expect(await ask(undefined, [], options)).toMatch(/\r\n\r\napplication$/);
});
