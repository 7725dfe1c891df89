/** Goal: every write may be repeated safely, as the document says; what the header does says once.test.ts of the room access. */
import { expect, test } from 'vitest';
import { mayWrite } from '../../../../src/kit/http/app-env.ts';
import { decrypt, encrypt, repeatableOf } from '../../../../src/kit/http/once/answer-once.ts';
import { documentOfRoutes } from '../../../support/openapi.ts';

const { paths } = await documentOfRoutes();

test('every write takes an Idempotency-Key, or its body names what is done once', () => {
  const writes = Object.values(paths).flatMap((methods) =>
    Object.entries(methods).flatMap(([method, operation]) =>
      method === 'get' || operation['x-writes-nothing'] === true ? [] : operation,
    ),
  );
  expect(writes.length).toBeGreaterThan(60);
  const without = writes.filter(
    ({ parameters = [] }) => !parameters.some(({ name }) => name === 'Idempotency-Key'),
  );
  expect(without.map(({ operationId }) => operationId).toSorted()).toEqual([
    // Each transaction has a key of its own, and values that a list has stay as they are.
    'acceptTransactions',
    'importListEntries',
  ]);
});

test('an operation may write unless the document says that the operation writes nothing', () => {
  for (const [path, methods] of Object.entries(paths))
    for (const [method, operation] of Object.entries(methods)) {
      const at = path.replaceAll(/\{\w+\}/g, 'id');
      const writes = method !== 'get' && operation['x-writes-nothing'] !== true;
      expect([path, mayWrite(method.toUpperCase(), at)]).toEqual([path, writes]);
    }
});

test('names and secrets of answers differ by credential and key, fingerprints by request as well', () => {
  const given = [
    ['token', 'key', 'request'],
    ['other', 'key', 'request'],
    ['token', 'other', 'request'],
    ['token', 'key', 'other'],
  ] as const;
  const made = given.map(([token, key, request]) => repeatableOf(token, key, request));
  const distinct = (part: 'digest' | 'secret' | 'fingerprint') =>
    new Set(made.map((one) => one[part].toString('hex'))).size;
  expect([distinct('digest'), distinct('secret'), distinct('fingerprint')]).toEqual([3, 3, 4]);
});

test('an answer is read by its own secret alone, and not once it is changed', () => {
  const [own, other] = ['token', 'other'].map((token) => repeatableOf(token, 'key', '').secret);
  const answer = { status: 201, headers: [['a', 'b']] as const, body: Buffer.from('risk_key') };
  const sealed = encrypt(own ?? Buffer.alloc(0), answer);
  expect(decrypt(own ?? Buffer.alloc(0), sealed)).toEqual(answer);
  expect(() => decrypt(other ?? Buffer.alloc(0), sealed)).toThrow();
  expect(sealed.includes('risk_key')).toBe(false);
  sealed[20] = (sealed[20] ?? 0) ^ 1;
  expect(() => decrypt(own ?? Buffer.alloc(0), sealed)).toThrow();
});
