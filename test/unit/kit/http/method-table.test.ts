/** Goal: a mistyped path finds the path that was meant. */
import { expect, test } from 'vitest';
import { createMethodTable } from '../../../../src/kit/http/method-table.ts';

const { nearestTo } = createMethodTable(
  ['/v1/scores/:id', '/v1/scores/:id/habit', '/v1/status', '/v1/transactions', '/console/*'].map(
    (path) => ({ method: 'GET', path }),
  ),
);

test.each([
  ['/v1/transaction', '/v1/transactions'],
  ['/v1/Status', '/v1/status'],
  ['/v1/score/01a1f84a-95c0-7000-8000-00000000002a', '/v1/scores/{id}'],
  ['/v1/scores/01a1f84a/habits', '/v1/scores/{id}/habit'],
  ['/v1/transactions/', '/v1/transactions'],
  ['/transactions', '/v1/transactions'],
  ['/scores/7/', '/v1/scores/{id}'],
  ['/v1/xyz', undefined],
  ['/', undefined],
])('%s: %s', (path, nearest) => {
  expect(nearestTo(path)).toBe(nearest);
});
