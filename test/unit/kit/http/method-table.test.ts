/** Goal: a mistyped path finds the path that was meant. */
import { expect, test } from 'vitest';
import { createMethodTable } from '../../../../src/kit/http/method-table.ts';

const paths = [
  ...['/v1/scores/:id', '/v1/scores/:id/habit', '/v1/status', '/v1/transactions', '/console/*'],
  ...['/v1/keys/:id', '/v1/transactions/:id'],
];
const { nearestTo, besides } = createMethodTable([
  ...paths.map((path) => ({ method: 'GET', path })),
  { method: 'POST', path: '/v1/transactions/batch' },
  { method: 'POST', path: '/v1/transactions/:id/what-if' },
]);

test.each([
  ['/v1/transaction', '/v1/transactions'],
  ['/v1/Status', '/v1/status'],
  ['/v1/score/01a1f84a-95c0-7000-8000-00000000002a', '/v1/scores/{id}'],
  ['/v1/scores/01a1f84a/habits', '/v1/scores/{id}/habit'],
  ['/v1/transactions/', '/v1/transactions'],
  ['//v1/transactions', '/v1/transactions'],
  ['//v1//scores/7/', '/v1/scores/{id}'],
  ['/transactions', '/v1/transactions'],
  ['/scores/7/', '/v1/scores/{id}'],
  ['/v1/xyz', undefined],
  ['/', undefined],
])('%s: %s', (path, nearest) => {
  expect(nearestTo(path)).toBe(nearest);
});

test('a word that was taken for an id finds the paths beside it that take the method', () => {
  expect(besides('POST', '/v1/transactions/bulk')).toEqual(['/v1/transactions/batch']);
  expect(besides('DELETE', '/v1/transactions/bulk')).toEqual([]);
  expect(besides('GET', '/v1/transactions/batch')).toEqual([]);
  expect(besides('POST', '/v1/keys/bulk')).toEqual([]);
});
