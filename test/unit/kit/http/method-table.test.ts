/** Goal: a word that was mistyped, and taken for an id, finds the path that was meant. bad-input-requests.test.ts has other mistyped paths. */
import { expect, test } from 'vitest';
import { createMethodTable } from '../../../../src/kit/http/app.ts';

const { besides } = createMethodTable([
  { method: 'GET', path: '/v1/keys/:id' },
  { method: 'GET', path: '/v1/transactions/:id' },
  { method: 'POST', path: '/v1/transactions/batch' },
  { method: 'POST', path: '/v1/transactions/:id/what-if' },
]);

test('a word that was taken for an id finds the paths beside it that take the method', () => {
  expect(besides('POST', '/v1/transactions/bulk')).toEqual(['/v1/transactions/batch']);
  expect(besides('DELETE', '/v1/transactions/bulk')).toEqual([]);
  expect(besides('GET', '/v1/transactions/batch')).toEqual([]);
  expect(besides('POST', '/v1/keys/bulk')).toEqual([]);
});
