/** Goal: the engine decides by an error of Postgres what it is, in whatever language the server says the error. */
import { expect, test } from 'vitest';
import { isKeyTaken, isStuck } from '../../../../src/kit/database/outage.ts';
import {
  isPartitionMissing,
  mayBeDone,
  tableOf,
  toFailure,
} from '../../../../src/kit/database/pg-failure.ts';
import { Failure } from '../../../../src/kit/words/failure.ts';

const answered = (code: string) => Object.assign(new Error('answered'), { code });

test.each([
  ['a reset connection', answered('ECONNRESET'), true],
  ['a pipe that the server has closed', answered('EPIPE'), true],
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

test.each([
  ['25006', 'default_transaction_read_only'],
  ['25P03', 'idle_in_transaction_session_timeout'],
  ['25P04', 'transaction_timeout'],
  ['55P03', 'lock_timeout'],
  ['57014', 'statement_timeout'],
  ['57P05', 'idle_session_timeout'],
])(
  'an error %s, whatever the language of the server, names %s and is not held against the data',
  (state, setting) => {
    expect(toFailure(answered(state))).toMatchObject({
      kind: 'unavailable',
      message: expect.stringContaining(setting),
    });
  },
);

test('the table that the server names is known behind a Failure, too', () => {
  const cause = Object.assign(answered('23505'), { table: 'idempotency_keys_7' });
  expect(tableOf(toFailure(cause))).toBe('idempotency_keys_7');
  expect(tableOf(new Failure('transient', 'X', 'x'))).toBeUndefined();
});

test.each([
  ['no partition of relation "transactions" found for row', 'ExecFindPartition', true],
  ['keine Partition von Relation »transactions« für die Zeile gefunden', 'ExecFindPartition', true],
  ['no partition of relation "transactions" found for row', 'ExecConstraints', false],
])('%s, said by %s, means that a partition is missing: %s', (message, routine, expected) => {
  const thrown = Object.assign(new Error(message), { code: '23514', routine });
  expect([isPartitionMissing(thrown), isPartitionMissing(toFailure(thrown))]).toEqual([
    expected,
    expected,
  ]);
});

test.each([
  ['while inserting index tuple (0,1) in relation "idempotency_keys_7_pkey"', true],
  ['beim Einfügen von Indextupel (0,1) in Relation »idempotency_keys_7_pkey«', true],
  ['リレーション"idempotency_keys_7_pkey"のインデックスタプル(0,1)の挿入中', true],
  ['while locking tuple (0,1) in relation "idempotency_keys_7"', false],
  ['beim Sperren von Tupel (0,1) in Relation »controls«', false],
  ['SQL statement "lock table controls in share mode"\nPL/pgSQL function of_key() line 6', false],
  [undefined, false],
])(
  'a lock that did not come, with the context %s, waited for a rival of the key: %s',
  (where, expected) => {
    const failure = toFailure(Object.assign(answered('55P03'), { where }));
    expect([isKeyTaken(failure), isStuck(failure)]).toEqual([expected, !expected]);
  },
);
