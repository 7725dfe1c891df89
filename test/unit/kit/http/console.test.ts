/** Goal: the files of the console are served as a browser asks for them, and nothing else is. Method: requests to its routes. */
import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { consoleRoutes } from '../../../../src/rooms/console/routes.ts';

const FOLDER = 'console/dist';
const routes = consoleRoutes(FOLDER);
const asset = readdirSync(`${FOLDER}/assets`).find((name) => name.endsWith('.js')) ?? '';

test.each([
  ['gzip, deflate, br', true],
  ['br, GZIP;q=0.5', true],
  ['deflate,gzip ; q=1', true],
  ['br, gzip;q=0.000, *', false],
  ['x-gzipped', false],
])('gzip for Accept-Encoding: %s', async (accepted, isPacked) => {
  const headers = { 'Accept-Encoding': accepted };
  const answer = await routes.request(`/console/assets/${asset}`, { headers });
  expect(answer.headers.get('content-encoding')).toBe(isPacked ? 'gzip' : null);
  expect(answer.headers.get('vary')).toBe('Accept-Encoding');
});

test.each([
  '/console/assets/../index.html/../../package.json',
  '/console/assets/..%2findex.html',
  '/console/assets/%2e%2e%2f%2e%2e%2fpackage.json',
  '/console/assets/..%5cindex.html',
  `/console/assets/${asset}%00`,
  '/console/assets/constructor',
  '/console/assets/',
])('%s is no file of the build', async (path) => {
  const answer = await routes.request(path);
  const isPage = answer.headers.get('content-type')?.startsWith('text/html') ?? false;
  expect(isPage || answer.status === 404).toBe(true);
  expect(await answer.text()).not.toContain('"dependencies"');
});

test('a question for the headers has those of the answer, and the page is asked for each time', async () => {
  const head = await routes.request('/console/transactions', { method: 'HEAD' });
  expect([head.status, await head.text()]).toEqual([200, '']);
  expect(head.headers.get('cache-control')).toBe('no-cache');
  expect(head.headers.get('content-security-policy')).toContain("default-src 'none'");
  const file = await routes.request(`/console/assets/${asset}`, { method: 'HEAD' });
  expect(file.headers.get('cache-control')).toContain('immutable');
});
