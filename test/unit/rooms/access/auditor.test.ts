/** Goal: an auditor reads all that anybody reads but clear values, and writes nothing. Whether the API obeys the document says access.test.ts. */
import { expect, test } from 'vitest';
import { clientLabelled, clientSeen, type Role } from '../../../../src/kit/words/principal.ts';
import { reachOf } from '../../../support/access.ts';
import { documentOfRoutes } from '../../../support/openapi.ts';

const { paths } = await documentOfRoutes();
const operations = Object.values(paths).flatMap((methods) =>
  Object.entries(methods).map(([method, operation]) => ({ method, operation })),
);
const reached = (isReached: boolean, ...methods: string[]) =>
  operations
    .filter(({ method, operation }) => {
      const reach = reachOf(operation, 'auditor');
      return methods.includes(method) && reach !== undefined && (reach !== 'none') === isReached;
    })
    .map(({ operation }) => operation.operationId ?? '')
    .toSorted();

test('an auditor may send every read but that of clear values, and of the writes those of its own sessions', () => {
  expect(reached(false, 'get')).toEqual(['readSubject']);
  expect(reached(true, 'get').length).toBeGreaterThan(50);
  const writes = reached(true, 'post', 'put', 'delete', 'patch');
  expect(writes).toEqual(['endSession', 'logIn', 'makeLoginLink']);
});

test('an auditor sees the market, and labels no more than its other roles let it', () => {
  const caller = (...roles: Role[]) => ({ roles: new Set(roles), client: 'shop' });
  expect(clientSeen(caller('ingest', 'auditor'))).toBeNull();
  expect(clientLabelled(caller('ingest', 'auditor'))).toBe('shop');
  expect(clientLabelled(caller('ingest', 'analyst'))).toBeNull();
  expect(clientSeen(caller('ingest'))).toBe('shop');
});
