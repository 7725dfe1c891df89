/**
 * Goal: a release runs beside the next one. Workers that do not read a version leave its entries to those that do: nobody
 * counts a delivery of them, none becomes a dead letter, no trigger asks for more of these workers, all are scored. Method: workers in this process on real services;
 * the next version is written by this test, in a layout that the present one cannot read, and read by a decoder of its own.
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Transaction } from '../../src/core/domain/transaction.ts';
import { bindReconciler } from '../../src/core/repair/reconcile-duty.ts';
import { decodeEntry, packEntries } from '../../src/core/stream/entries/entry.ts';
import { ENTRY_READER, type EntryReader } from '../../src/core/stream/group/versions.ts';
import { GROUP } from '../../src/core/stream/keys.ts';
import { measureStreams } from '../../src/core/stream/status/lag.ts';
import { reportStreams } from '../../src/core/stream/status/report-streams.ts';
import { createMetrics } from '../../src/kit/metrics/metrics.ts';
import { openQueueReader } from '../../src/rooms/operate/scaling/read-measures.ts';
import { bindBacklog } from '../../src/rooms/status/report-duty.ts';
import { silentLog, testConfig } from '../support/config.ts';
import { runRisk } from '../support/run-risk.ts';
import { waitUntil } from '../support/wait-until.ts';
import { createWorkerRig, seeds, type WorkerRig } from '../support/worker-rig.ts';

let rig: WorkerRig;
beforeEach(async () => {
  rig = await createWorkerRig();
});
afterEach(async () => {
  await rig[Symbol.asyncDispose]();
});

/** A layout that version 3 cannot read. */
const LAYOUT_NEXT = 77;

/** A worker of the next version: it reads both. */
const next: EntryReader = {
  ...ENTRY_READER,
  versions: ['2', '3', '4'],
  decode(fields) {
    if (fields.version !== '4' || fields.packed === null) return decodeEntry(fields);
    const packed = Buffer.from(fields.packed);
    packed[0] = 1;
    return decodeEntry({ ...fields, version: '3', packed });
  },
};

const payloadOf = (transaction: Transaction) =>
  ({ transaction, attempt: 1, origin: 'ingest', replyTo: null, rowId: null }) as const;

/** As a producer of the next version packs them. */
const packNext = (transactions: readonly Transaction[]) =>
  packEntries(transactions.map(payloadOf)).map((entry) => {
    entry.packed[0] = LAYOUT_NEXT;
    return entry;
  });

async function appendNext(transactions: readonly Transaction[]): Promise<void> {
  for (const { transactions: count, head, packed } of packNext(transactions)) {
    const fields = ['v', '4', 'n', count, 'h', head, 'd', packed];
    await rig.commands.xadd(rig.stream.transactions, '*', ...fields);
    await rig.commands.hincrby(rig.stream.counts, 'transactions', count);
  }
}

/** Appends both versions in turns, entries of several and of one; returns how many are of the next. */
async function appendBoth(transactions: readonly Transaction[]): Promise<number> {
  let ofNext = 0;
  for (let at = 0; at < transactions.length; at += 3) {
    await rig.append(transactions.slice(at, at + 1));
    const others = transactions.slice(at + 1, at + 3);
    await appendNext(others);
    ofNext += others.length;
  }
  return ofNext;
}

const received = (count: number) =>
  seeds(count).map((seed) => ({ ...seed, receivedAtMs: Date.now() }));

type Pending = readonly [id: string, consumer: string, idleMs: number, deliveries: number];
const pendingRows = async () =>
  (await rig.commands.xpending(rig.stream.transactions, GROUP, '-', '+', 100)) as Pending[];

/** A worker that gets entries that are handed over, and claims nothing else in the time of a test. */
const PATIENT = { RISK_CLAIM_IDLE_MS: '600000' };

describe('entries of a newer version', { timeout: 120_000 }, () => {
  test('wait for a worker that reads them, uncounted and unspoilt, and are scored when one starts', async () => {
    const old = rig.startWorker();
    rig.startWorker();
    const transactions = await rig.store(seeds(31));
    const ofNext = await appendBoth(transactions.slice(1));
    const [retried] = packNext(transactions.slice(0, 1));
    const member = Buffer.concat([
      Buffer.from('4 attempt=2 origin=retry\n'),
      retried?.packed ?? Buffer.alloc(0),
    ]);
    await rig.commands.zadd(rig.stream.retries, 1, member);
    const handedOver = async () =>
      (await measureStreams(rig.commands, [rig.stream]))[0]?.handedOver === 11;
    await waitUntil(handedOver, 30_000, 'ten and a retry to be handed over');
    await waitUntil(async () => (await rig.counts()).scored === 30 - ofNext, 30_000, 'the others');
    // The entries are stale by now, and no worker touches them.
    const isStale = async () => (await pendingRows()).every(([, , idleMs]) => idleMs > 1500);
    await waitUntil(isStale, 30_000, 'entries to be left alone');
    const kept = (await pendingRows()).map(([, consumer, , deliveries]) => [consumer, deliveries]);
    expect(kept).toEqual(Array.from({ length: 11 }, () => ['for-version-4', 0]));
    expect(await rig.counts()).toMatchObject({ deadLetters: 0, waiting: ofNext + 1, retries: 0 });
    await old.stop();
    rig.startWorker(PATIENT, { entries: next });
    expect(await rig.settled(31, 30_000)).toMatchObject({ scored: 31, deadLetters: 0 });
    expect(await pendingRows()).toEqual([]);
  });

  test('ask for no more workers of this release, and for workers of the next one', async () => {
    // Rows that are looked at again would be appended again.
    const worker = rig.startWorker({ RISK_RECONCILE_AGE_MS: '600000' });
    const given = await rig.store(received(5));
    await rig.openRows(given);
    await appendNext(given);
    const measured = async (versions?: readonly string[]) =>
      (await measureStreams(rig.commands, [rig.stream], versions))[0];
    const handedOver = async () => (await measured())?.handedOver === 1;
    await waitUntil(handedOver, 30_000, 'an entry to be handed over');
    const readAge = async () => (await measured())?.oldestAgeMs ?? 0;
    await waitUntil(async () => (await readAge()) > 100, 5000, 'an age');
    await using stack = new AsyncDisposableStack();
    const config = { RISK_MARKET: rig.database.market, KAFKA_URL: undefined };
    const stores = { config, database: rig.pool, redis: rig.commands, log: silentLog() };
    expect(await openQueueReader(stack, stores)()).toEqual({
      queue_depth_transactions: 0,
      queue_age_seconds: 0,
    });
    const metrics = createMetrics();
    reportStreams(metrics, await measureStreams(rig.commands, [rig.stream]));
    await bindBacklog({ database: rig.pool, metrics }).run(new AbortController().signal);
    const said = await metrics.registry.metrics();
    for (const name of ['backlog_transactions', 'stream_lag_seconds', 'stream_lag_transactions']) {
      expect(said).toMatch(new RegExp(`^risk_${name}(\\{.*\\})? 0$`, 'm'));
    }
    const ofNext = await measured(next.versions);
    expect(ofNext).toMatchObject({ lag: 5, unread: 0 });
    expect(ofNext?.readableAgeMs).toBeGreaterThan(100);
    await worker.stop();
    await rig.append(await rig.store(received(1)));
    expect(await measured()).toMatchObject({ lag: 6, unread: 5 });
    const isOld = async () => ((await measured())?.readableAgeMs ?? 0) > 0;
    await waitUntil(isOld, 5000, 'an age of the entry behind it');
  });

  test('are given up by an operator, and what they held is scored from Postgres', async () => {
    rig.startWorker();
    const given = await rig.store(received(5));
    await rig.openRows(given);
    await appendNext(given);
    await rig.append(await rig.store(received(1)));
    const handedOver = async () =>
      (await measureStreams(rig.commands, [rig.stream]))[0]?.handedOver === 1;
    await waitUntil(handedOver, 30_000, 'an entry to be handed over');
    const { environment, stream } = rig;
    const listed = await runRisk(['entries', '--json'], environment);
    const row = { stream: stream.transactions, version: '4', entries: 1 };
    expect(JSON.parse(listed.stdout)).toEqual([row]);
    const givenUp = await runRisk(['entries', 'give-up', '4', '--yes', '--json'], environment);
    expect(JSON.parse(givenUp.stdout)).toEqual({ version: '4', given_up: 1 });
    // The worker may still have the one that it reads.
    const isEmpty = async () => (await rig.commands.xlen(stream.transactions)) === 0;
    await waitUntil(isEmpty, 30_000, 'an empty stream');
    const { signal } = new AbortController();
    const reconciler = bindReconciler(
      testConfig({ RISK_RECONCILE_AGE_MS: '500' }),
      ...([rig.pool, rig.commands, () => undefined] as const),
    );
    await waitUntil(
      async () => (await reconciler.run(signal)).isWhole && (await rig.counts()).scored === 6,
      60_000,
      'all to be scored',
    );
    expect(await rig.settled(6, 30_000)).toMatchObject({ scored: 6, deadLetters: 0 });
  });

  test('come to the workers that read them while both releases run', async () => {
    rig.startWorker();
    rig.startWorker(PATIENT, { entries: next });
    const transactions = await rig.store(seeds(90));
    for (let at = 0; at < 90; at += 15) await appendBoth(transactions.slice(at, at + 15));
    expect(await rig.settled(90, 30_000)).toMatchObject({ scored: 90, deadLetters: 0 });
  });
});
