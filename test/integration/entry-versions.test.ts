/**
 * Goal: a release runs beside the next one, and is taken back. Entries that a worker does not read are scored by one that does,
 * or else from Postgres after UNREAD_MS, each once: nobody counts a delivery of them, and none becomes a dead letter; transactions
 * of an entry that nobody could read are found in their open rows. Method:
 * workers in this process on real services; the next version is written by this test, in a layout that the present one cannot
 * read, and read by a decoder of its own. Redis is told that time has passed.
 */
import { beforeEach, describe, expect, test } from 'vitest';
import type { Transaction } from '../../src/core/domain/transaction.ts';
import { bindReconciler } from '../../src/core/repair/reconcile.ts';
import {
  ENTRY_READER,
  ENTRY_VERSION,
  type EntryReader,
  type PackedEntry,
  packEntries,
} from '../../src/core/stream/entries/entry.ts';
import { GROUP, SHARDS_MAX, streamKeys } from '../../src/core/stream/keys.ts';
import { UNREAD_MS } from '../../src/core/stream/status/heads.ts';
import { testConfig } from '../support/config.ts';
import { idAt, storeDeadLetters } from '../support/stored-rows.ts';
import { readEntries } from '../support/stream-entries.ts';
import { waitUntil } from '../support/wait-until.ts';
import { createWorkerRig, seeds, type WorkerRig } from '../support/worker-rig.ts';

let rig: WorkerRig;
beforeEach(async () => {
  rig = await createWorkerRig();
  return () => rig[Symbol.asyncDispose]();
});

const NEXT_VERSION = '77';
const toNext = (packed: Buffer) => Buffer.concat([Buffer.from('next'), packed]);

/** Version and decoder of the next release. */
const next: EntryReader = {
  version: NEXT_VERSION,
  decode: ({ packed, ...fields }) =>
    ENTRY_READER.decode({
      ...{ ...fields, version: ENTRY_VERSION },
      packed: packed?.subarray(toNext(Buffer.alloc(0)).length) ?? null,
    }),
};

const received = (count: number) =>
  seeds(count).map((seed) => ({ ...seed, receivedAtMs: Date.now() }));

/** Stores transactions in open rows that a quiet worker is not to look for, with the entries that a producer of the next release makes of them. */
async function storeNext(count: number): Promise<readonly PackedEntry[]> {
  const transactions = await rig.store(received(count));
  await rig.openRows(transactions, 60_000);
  const toPayload = async (transaction: Transaction) => {
    const rowId = await rig.rowOf(transaction);
    return { transaction, attempt: 1, origin: 'ingest', replyTo: null, rowId } as const;
  };
  const payloads = await Promise.all(transactions.map(toPayload));
  return packEntries(payloads).map((entry) => ({ ...entry, packed: toNext(entry.packed) }));
}

async function appendNext(entries: readonly PackedEntry[]): Promise<void> {
  const { transactions: name, counts } = rig.stream;
  for (const { transactions, head, packed } of entries) {
    const fields = ['v', NEXT_VERSION, 'n', transactions, 'h', head, 'd', packed];
    await rig.commands.xadd(name, '*', ...fields);
    await rig.commands.hincrby(counts, 'transactions', transactions);
  }
}

type Pending = readonly [id: string, consumer: string, idleMs: number, deliveries: number];
const pendingRows = async () =>
  (await rig.commands
    .xpending(rig.stream.transactions, GROUP, '-', '+', 100)
    // The worker has not made the group yet.
    .catch(() => [])) as Pending[];

/** Several times RISK_CLAIM_IDLE_MS of the rig. */
const STALE_MS = 2500;

/** Waits until workers have read entries and left them alone for longer than they leave any that they read. */
async function untilLeft(entries: number): Promise<void> {
  const isLeft = async () => {
    const rows = await pendingRows();
    return rows.length === entries && rows.every(([, , idleMs]) => idleMs > STALE_MS);
  };
  await waitUntil(isLeft, 30_000, `${entries} entries to be left alone`);
  expect((await pendingRows()).map(([, , , deliveries]) => deliveries)).toEqual(
    new Array(entries).fill(1),
  );
}

/** Lets the reconciler of this release run until a look at all rows finds none to append, and something holds. @returns transactions that it appended */
async function reconcile(holds = async () => true): Promise<number> {
  let appended = 0;
  const config = testConfig({ RISK_RECONCILE_AGE_MS: '500' });
  const reconciler = bindReconciler(config, rig.pool, rig.commands, (count) => {
    appended += count;
  });
  const { signal } = new AbortController();
  // A run whose look took long leaves it to the next run to append.
  const isDone = async () => {
    const { isWhole, lost, rows } = await reconciler.run(signal);
    return isWhole && lost + rows === 0 && (await holds());
  };
  await waitUntil(isDone, 60_000, 'a look at all rows');
  return appended;
}

/** Transactions of the test are older than their receipt, so the reconciler appends them here. */
const past = () => streamKeys(rig.database.market, 'US-EG', SHARDS_MAX);
/** Such a worker appends no row of less than ten minutes. */
const QUIET = { RISK_RECONCILE_AGE_MS: '600000' };

describe('entries of another version', () => {
  test('are appended from Postgres once nobody has claimed them for long, and not before', async () => {
    const worker = rig.startWorker(QUIET);
    const entries = (await Promise.all([5, 4, 3].map(storeNext))).flat();
    await appendNext(entries.slice(0, 2));
    await untilLeft(2);
    await worker.stop();
    expect((await rig.counts()).scored).toBe(0);
    // An entry that was never delivered may wait behind others for as long as it takes.
    await appendNext(entries.slice(2));
    expect(await reconcile()).toBe(0);
    for (const [id, consumer] of await pendingRows()) {
      const claim = [rig.stream.transactions, GROUP, consumer, 0, id];
      await rig.commands.call('XCLAIM', [...claim, 'IDLE', UNREAD_MS, 'JUSTID']);
    }
    expect(await reconcile()).toBe(9);
    expect(await reconcile()).toBe(0);
    const counts = await Promise.all(
      [rig.stream, past()].map((stream) => rig.commands.hget(stream.counts, 'transactions')),
    );
    expect(counts).toEqual(['3', '9']);
    rig.startWorker(QUIET);
    rig.startWorker(QUIET, { entries: next });
    expect(await rig.settled(12, 30_000)).toMatchObject({ scored: 12, deadLetters: 0 });
    expect(await rig.database.sql('select from open_rows')).toEqual([]);
  });
});

async function streamed(): Promise<string[]> {
  const live = await readEntries(rig.commands, rig.stream.transactions);
  const payloads = [...live, ...(await readEntries(rig.commands, past().transactions))];
  return payloads.map(({ transaction }) => transaction.transactionId).sort();
}

const unreadable = { id: idAt(1, 1), transactionId: null, failedAtMs: Date.now() - 1000 };
const isClosed = async () =>
  (await rig.database.sql('select from dead_letters where replayed_at is not null')).length === 1;

describe('what left the streams unread', () => {
  test('is in open rows that no entry names, and its dead letter is closed', async () => {
    const [waiting, named, ...lost] = await rig.store(received(4));
    if (waiting === undefined || named === undefined) throw new Error('nothing stored');
    await rig.openRows([waiting]);
    await rig.openRows([named, ...lost]);
    await rig.append([waiting], { rowId: await rig.rowOf(waiting) });
    await storeDeadLetters(rig.pool, [
      unreadable,
      { ...unreadable, id: idAt(1, 2), transactionId: named.transactionId },
    ]);
    expect(await reconcile(isClosed)).toBe(2);
    const expected = [waiting, ...lost].map(({ transactionId }) => transactionId);
    expect(await streamed()).toEqual(expected.sort());
    const closed = 'select transaction_id from dead_letters where replayed_at is not null';
    expect(await rig.database.sql(closed)).toEqual([{ transaction_id: null }]);
  });

  test('is found although an operator has purged its dead letter', async () => {
    await rig.openRows(await rig.store(received(1)));
    await storeDeadLetters(rig.pool, [unreadable]);
    await rig.database.sql('update dead_letters set purged_at = now()');
    expect(await reconcile(isClosed)).toBe(1);
  });
});
