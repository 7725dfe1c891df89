/**
 * Goal: what cannot be read or crashes its workers becomes a dead letter, and the workers go on. Method:
 * entries written to the stream by hand, on real services.
 */
import { beforeEach, expect, test } from 'vitest';
import type { Transaction } from '../../src/core/domain/transaction.ts';
import { ENTRY_VERSION, type PackedEntry, packAgain } from '../../src/core/stream/entries/entry.ts';
import { GROUP } from '../../src/core/stream/keys.ts';
import { fieldsOf } from '../support/stream-entries.ts';
import { waitUntil } from '../support/wait-until.ts';
import { createWorkerRig, seeds, type WorkerRig } from '../support/worker-rig.ts';

let rig: WorkerRig;
beforeEach(async () => {
  rig = await createWorkerRig();
  return () => rig[Symbol.asyncDispose]();
});

type DeadRow = {
  transaction_id: string | null;
  account_id: string | null;
  error_code: string;
  entry: string;
};
const deadLetters = () =>
  rig.database.sql<DeadRow>(
    `select transaction_id, account_id, error_code, entry from dead_letters order by transaction_id`,
  );

const entryOf = (...transactions: Transaction[]) =>
  packAgain(
    transactions.map((transaction) => ({
      ...{ transaction, attempt: 1, origin: 'ingest' as const, replyTo: null, rowId: null },
    })),
  );
type Change = (entry: PackedEntry) => (string | Buffer)[];
const changed =
  (more: Partial<PackedEntry>): Change =>
  (entry) =>
    fieldsOf({ ...entry, ...more });
const spoilt =
  (at: number, to: number): Change =>
  (entry) => {
    entry.packed[at] = to;
    return fieldsOf(entry);
  };

test('dead letters take malformed entries of every shape, once each, and spare what is between them', async () => {
  const transactions = await rig.store(seeds(20));
  /** Changes that leave the id of an entry readable. */
  const named: Change[] = [
    changed({ head: '' }),
    changed({ head: 'attempt=5 origin=ingest' }),
    changed({ head: 'attempt=1 origin=elsewhere' }),
    (entry) => ['n', '1', 'd', entry.packed],
    (entry) => ['v', 'next', 'n', '1', 'h', entry.head, 'd', entry.packed],
  ];
  const nameless: Change[] = [
    () => ['nothing', 'here'],
    () => ['v', ENTRY_VERSION],
    () => ['v', ENTRY_VERSION, 'd', ''],
    changed({ packed: Buffer.from('{"a":1}') }),
    (entry) => fieldsOf({ ...entry, packed: entry.packed.subarray(0, 100) }),
    changed({ packed: Buffer.alloc(1_000_000, 'x') }),
    // Another layout, a count of zero, a column of another kind, and one that ends behind the value.
    spoilt(0, 9),
    spoilt(2, 0),
    spoilt(9, 3),
    spoilt(17, 1),
  ];
  const victims = await rig.store(seeds(named.length, Date.UTC(2026, 9, 1)));
  for (const [index, change] of [...named, ...nameless].entries()) {
    const victim = victims[index] ?? (await unstored(index));
    await rig.commands.xadd(rig.stream.transactions, '*', ...change(entryOf(victim)));
    await rig.append(transactions.slice(index, index + 1));
  }
  await rig.append(transactions.slice(named.length + nameless.length));
  rig.startWorker();
  const letters = named.length + nameless.length;
  await waitUntil(async () => (await deadLetters()).length === letters, 30_000, 'dead letters');
  await waitUntil(async () => (await rig.counts()).scored === 20, 30_000, 'the others');
  const rows = await deadLetters();
  expect(new Set(rows.map((row) => row.error_code))).toEqual(new Set(['ENTRY_MALFORMED']));
  const ofVictims = victims.map(({ transactionId, accountId }) => [transactionId, accountId]);
  const none = nameless.map(() => [null, null]);
  expect(rows.map((row) => [row.transaction_id, row.account_id])).toEqual([...ofVictims, ...none]);
  for (const row of rows) expect(row.entry.length).toBeLessThanOrEqual(16 * 1024);
});

test('dead letters name each stored transaction of an entry that cannot be read, and say that others may be missing', async () => {
  const transactions = await rig.store(seeds(3));
  const entry = entryOf(...transactions, await unstored(4));
  const fields = changed({ transactions: 100, head: 'rubbish' })(entry);
  await rig.commands.xadd(rig.stream.transactions, '*', ...fields);
  rig.startWorker();
  await waitUntil(async () => (await deadLetters()).length === 4, 30_000, 'dead letters');
  const rows = await deadLetters();
  expect(rows.map((row) => row.transaction_id)).toEqual([
    ...transactions.map(({ transactionId }) => transactionId),
    null,
  ]);
  expect(rows.map((row) => row.entry.length > 0)).toEqual([true, false, false, false]);
});

const unstored = async (n: number): Promise<Transaction> => {
  const [known] = await rig.store(seeds(1, Date.UTC(2026, 8, 1) + n));
  if (known === undefined) throw new Error('nothing stored');
  await rig.database.sql(
    `delete from transactions where transaction_id = '${known.transactionId}'`,
  );
  return known;
};

test('dead letters take text that Postgres refuses, and the transaction is named', async () => {
  const [transaction, neighbour] = await rig.store(seeds(2));
  if (transaction === undefined || neighbour === undefined) throw new Error('nothing stored');
  await rig.append([{ ...transaction, accountId: 'nul\0nul' }, neighbour]);
  rig.startWorker();
  expect(await rig.settled(2)).toMatchObject({ scored: 1, deadLetters: 1 });
  const [row] = await deadLetters();
  expect(row).toMatchObject({ transaction_id: transaction.transactionId });
});

/** Leaves `count` entries with a worker that is no more, as if the entry at `at` had been delivered so often. */
async function dieWith(count: number, { at, deliveries }: { at: number; deliveries: number }) {
  const { transactions } = rig.stream;
  await rig.commands.xgroup('CREATE', transactions, GROUP, '0');
  const read = ['GROUP', GROUP, 'crashed', 'COUNT', count, 'STREAMS', transactions, '>'];
  await rig.commands.call('XREADGROUP', read);
  const [id = ''] = (await rig.commands.xrange(transactions, '-', '+'))[at] ?? [];
  const claim = [transactions, GROUP, 'crashed', 0, id, 'RETRYCOUNT', deliveries];
  await rig.commands.call('XCLAIM', claim);
}

test('dead letters take an entry that was delivered six times without an end, and only that one', async () => {
  for (const transaction of await rig.store(seeds(3))) await rig.append([transaction]);
  await dieWith(3, { at: 1, deliveries: 5 });
  rig.startWorker();
  expect(await rig.settled(3)).toMatchObject({ scored: 2, deadLetters: 1 });
  expect(await deadLetters()).toMatchObject([{ error_code: 'CRASHES_WORKER' }]);
});

test('dead letters take one poisonous transaction of a hundred after four attempts', {
  retry: 2,
}, async () => {
  const transactions = await rig.store(seeds(100));
  const poison = transactions[41]?.transactionId;
  const triedMs: number[] = [];
  const beforeScore = ({ transactionId }: Transaction) => {
    if (transactionId !== poison) return;
    triedMs.push(performance.now());
    throw new Error('poison');
  };
  await rig.append(transactions);
  rig.startWorker({ RISK_RETRY_BASE_MS: '400' }, { beforeScore });
  expect(await rig.settled(100)).toMatchObject({ scored: 99, deadLetters: 1 });
  const gapsMs = triedMs.slice(1).map((at, index) => at - (triedMs[index] ?? 0));
  expect(gapsMs).toHaveLength(3);
  for (const [index, gapMs] of gapsMs.entries()) {
    const baseMs = 400 * 2 ** index;
    expect(gapMs).toBeGreaterThanOrEqual(baseMs / 2 - 2);
    // Added to the wait: the promoter's interval and the batch itself.
    expect(gapMs).toBeLessThan(baseMs + 1500);
  }
  const [row] = await rig.database.sql<Record<string, unknown>>(
    `select transaction_id, attempts, error_code, error, account_id, corridor from dead_letters`,
  );
  expect(row).toMatchObject({
    ...{ transaction_id: poison, attempts: 4, error_code: 'SCORING_FAILED', error: 'poison' },
    ...{ account_id: transactions[41]?.accountId, corridor: 'US-EG' },
  });
  const [copy] = await rig.commands.xrange(rig.stream.deadLetters, '-', '+');
  const message = {
    transaction_id: poison,
    account_id: transactions[41]?.accountId,
    retry_count: 4,
  };
  expect(JSON.parse(copy?.[1][3] ?? '')).toEqual(message);
});
