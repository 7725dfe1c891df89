/** Goal: each request reaches its market or the process, and nothing else decides. Method: listeners that answer their names. */
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, expect, test } from 'vitest';
import { chooseMarket, type Listeners } from '../../../../src/kit/http/choose-market.ts';
import { createProcessMetrics } from '../../../../src/kit/metrics/metrics.ts';
import { sendRaw } from '../../../support/raw-http.ts';

const answering =
  (name: string): RequestListener =>
  (_request, response) =>
    response.end(name);
const markets: Listeners = new Map([
  ['market_0', answering('market_0')],
  ['market_1', answering('market_1')],
  ['shut', undefined],
]);
const server = createServer(chooseMarket(answering('process'), markets, createProcessMetrics()));
const { promise, resolve } = Promise.withResolvers<void>();
server.listen(0, '127.0.0.1', resolve);
await promise;
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
afterAll(() => server.close());

const ask = async (target: string, ...headers: readonly string[]) => {
  const lines = [`GET ${target} HTTP/1.1`, 'Host: x', 'Connection: close', ...headers, '', ''];
  const [head = '', body = ''] = (await sendRaw(url, lines.join('\r\n'))).split('\r\n\r\n');
  const status = Number(/^HTTP\/1\.1 (\d+)/.exec(head)?.[1]);
  return status === 200 ? /(process|market_\d)/.exec(body)?.[1] : status;
};

test.each([
  ['/v1/transactions', [], 'market_0'],
  ['/v1/transactions', ['Risk-Market: market_1'], 'market_1'],
  ['/v1/transactions', ['Cookie: a=b; risk-market=market_1'], 'market_1'],
  ['/v1/transactions', ['Risk-Market: market_0', 'Cookie: risk-market=market_1'], 'market_0'],
  // A header asks, and a cookie may be of an earlier process.
  ['/v1/transactions', ['Risk-Market: market_2'], 400],
  ['/v1/transactions', ['Risk-Market: '], 400],
  ['/v1/transactions', ['Risk-Market: market_0', 'Risk-Market: market_1'], 400],
  ['/v1/transactions', ['Cookie: risk-market=market_2'], 'market_0'],
  ['/v1/transactions', ['Risk-Market: shut'], 503],
  ['/metrics', ['Risk-Market: market_2'], 'process'],
  ...['/', '/readyz?x', '/docs/problems', '/console/review', '/v1/../livez', '/%6Civez'].map(
    (path): [string, string[], string] => [path, [], 'process'],
  ),
  ...['/docs/../v1/scores', '/livezz', '/v1/metrics', '/nothing', 'http://x/v1/scores'].map(
    (path): [string, string[], string] => [path, [], 'market_0'],
  ),
])('%s with %j is answered by %s', async (target, headers, answerer) => {
  expect(await ask(target, ...headers)).toBe(answerer);
});
