/**
 * Goal: what is appended again is what was accepted, to the digit and the millisecond. Method: rows at the ends of
 * their ranges on real Postgres, read by their ids.
 */
import { expect, test } from 'vitest';
import type { Transaction } from '../../src/core/domain/transaction.ts';
import { loadUnscored } from '../../src/core/store/transactions/read-transactions.ts';
import { openTestDatabase } from '../support/database.ts';
import { idAt, storeTransactions } from '../support/stored-rows.ts';

const BARE = { type: null, ip: null, deviceId: null, country: null, channel: null, declared: null };
const ALL: readonly Transaction[] = [
  {
    ...{ accountId: 'acc "1"\\', merchantId: 'Füße 支付 🙂', corridor: 'US-EG', ...BARE },
    ...{ amount: '999999999999999.0010', currency: 'BHD', ...times(Date.UTC(2000, 0), 999) },
  },
  {
    ...{ accountId: 'null', merchantId: '17', corridor: 'US-MX', currency: 'USD', amount: '0.10' },
    ...{ type: '{}', ip: '2001:db8::1', deviceId: 'd,"\\u0041', country: 'EG', channel: 'é' },
    declared: null,
    ...times(Date.UTC(2026, 5, 30, 23, 59, 59, 999), 1),
  },
  {
    ...{
      accountId: 'a',
      merchantId: 'b',
      corridor: 'US-EG',
      currency: 'JPY',
      amount: '1',
      ...BARE,
    },
    ...times(Date.UTC(9998, 11, 31, 23, 59, 59, 997), 0),
  },
];

/** Received in that order. */
function times(createdAtMs: number, receivedMs: number) {
  const receivedAtMs = Date.UTC(2026, 0, 1) + receivedMs;
  return { transactionId: idAt(createdAtMs), createdAtMs, receivedAtMs };
}

const setOptional = {
  name: 'test-set-optional',
  text: `update market.transactions set type = $2, ip = $3, device_id = $4, country = $5, channel = $6
          where transaction_id = $1`,
};

const { database } = await openTestDatabase();
await storeTransactions(
  database,
  ALL.map((one) => ({ ...one, id: one.transactionId })),
);
for (const { transactionId, type, ip, deviceId, country, channel } of ALL) {
  await database.query(setOptional, [transactionId, type, ip, deviceId, country, channel]);
}

const describeAll = {
  name: 'test-describe-all',
  text: 'update market.transactions set metadata = $1::jsonb',
};
const declareFields = {
  name: 'test-declare-fields',
  text: `insert into market.metadata_fields (name, type, description, declared_by)
         values ('tier', 'text', 'a word', 'Ann'), ('points', 'number', 'a count', 'Ann')`,
};

test('rows that are read again are as they were accepted, in the order of their ids', async () => {
  const ids = ALL.map((one) => one.transactionId);
  expect(await loadUnscored(database, ids)).toEqual(ALL);
  expect(await loadUnscored(database, [idAt(Date.UTC(2026, 0))])).toEqual([]);
  await database.query(describeAll, ['{"tier": "gold", "points": "7", "order": 1}']);
  expect(await loadUnscored(database, ids)).toEqual(ALL);
  await database.query(declareFields);
  const declared = '{"tier":"gold"}';
  expect(await loadUnscored(database, ids)).toEqual(ALL.map((one) => ({ ...one, declared })));
  expect(await loadUnscored(database, [])).toEqual([]);
});
