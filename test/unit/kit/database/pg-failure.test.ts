/** The failures that leave it open whether a statement was carried out. */
import { expect, test } from 'vitest';
import { mayBeDone, tableOf, toFailure } from '../../../../src/kit/database/pg-failure.ts';
import { Failure } from '../../../../src/kit/words/failure.ts';

const answered = (code: string) => Object.assign(new Error('answered'), { code });

test.each([
  ['a reset connection', answered('ECONNRESET'), true],
  ['a client that waits no longer', new Error('Query read timeout'), true],
  ['a server that is told to stop', answered('57P01'), true],
  ['a connection that the server gives up', answered('08006'), true],
  ['a statement timeout', answered('57014'), false],
  ['a lock that does not come', answered('55P03'), false],
  ['a full disk', answered('53100'), false],
  ['a key that is held', answered('23505'), false],
])('%s', (_name, thrown, expected) => {
  expect(mayBeDone(toFailure(thrown))).toBe(expected);
});

test('the table that the server names is known behind a Failure, too', () => {
  const cause = Object.assign(answered('23505'), { table: 'idempotency_keys_7' });
  expect(tableOf(toFailure(cause))).toBe('idempotency_keys_7');
  expect(tableOf(new Failure('transient', 'X', 'x'))).toBeUndefined();
});
