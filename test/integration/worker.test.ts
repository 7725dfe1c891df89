/**
 * Goal: every appended transaction is scored once, for any number of deliveries and workers. Method: real
 * Postgres, real Redis, real workers; outcomes are counted in SQL.
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { listConsumers } from '../../src/core/stream/group/consumer-group.ts';
import { readGroup } from '../../src/core/stream/group/read-group.ts';
import { openReplies } from '../../src/core/stream/settle/replies.ts';
import { openReader } from '../../src/kit/redis/connection.ts';
import { readScored } from '../support/stream-entries.ts';
import { waitUntil } from '../support/wait-until.ts';
import { createWorkerRig, seeds, type WorkerRig } from '../support/worker-rig.ts';

let rig: WorkerRig;
beforeEach(async () => {
  rig = await createWorkerRig();
});
afterEach(async () => {
  await rig[Symbol.asyncDispose]();
});

const doubled = `select count(*)::int - count(distinct transaction_id)::int as doubled from scores`;
/** Siblings that the profiles counted: where every earlier one is known, a transaction counts them all. */
const siblingsSeen = `select (feature_values(features))[14]::int as siblings from scores where account_id = $1 order by created_at`;

describe('worker', () => {
  test('scores what is appended and leaves nothing behind', async () => {
    const worker = rig.startWorker();
    await rig.send(seeds(500));
    expect(await rig.settled(500)).toEqual({ scored: 500, deadLetters: 0, waiting: 0, retries: 0 });
    // Events come at least once: for a new Redis the reconciler appends what it may have lost.
    const published = await readScored(rig.commands, rig.stream.scored);
    expect(new Set(published.map(([transactionId]) => transactionId)).size).toBe(500);
    expect(await worker.stop()).toBe(0);
    expect(await listConsumers(rig.commands, rig.stream.transactions)).toEqual([]);
  });

  test('scores a transaction once that is appended five times, in one batch and in several', async () => {
    const transactions = await rig.store(seeds(100));
    for (let time = 0; time < 3; time++) await rig.append(transactions);
    rig.startWorker();
    await rig.settled(100);
    for (let time = 0; time < 2; time++) await rig.append(transactions);
    expect(await rig.settled(100)).toEqual({ scored: 100, deadLetters: 0, waiting: 0, retries: 0 });
    expect(await rig.database.sql(doubled)).toEqual([{ doubled: 0 }]);
    const siblings = await rig.database.sql<{ siblings: number }>(siblingsSeen, ['acc_0']);
    expect(siblings.map((row) => row.siblings)).toEqual([0, 1, 2, 3, 4, 5]);
  });

  test('publishes a score once, however often it is appended again while it waits', async () => {
    const transactions = await rig.store(seeds(100));
    await rig.append(transactions);
    await rig.append(transactions, { origin: 'reconciled' });
    rig.startWorker({ RISK_BATCH_ENTRIES: '130' });
    await rig.settled(100);
    await rig.append(transactions, { origin: 'reconciled' });
    await rig.append(transactions);
    await rig.settled(100);
    const published = await readScored(rig.commands, rig.stream.scored);
    expect(published.map(([transactionId]) => transactionId).sort()).toEqual(
      transactions.map(({ transactionId }) => transactionId).sort(),
    );
  });

  test('shares streams among three workers that contend for the same few profiles', async () => {
    for (let n = 0; n < 3; n++) rig.startWorker({ RISK_BATCH_ENTRIES: '20' });
    for (let page = 0; page < 10; page++) {
      const start = Date.UTC(2026, 10, 1) + page * 100_000;
      await rig.send(seeds(100, start));
    }
    expect(await rig.settled(1000, 25_000)).toMatchObject({ scored: 1000, deadLetters: 0 });
    expect(await rig.database.sql(doubled)).toEqual([{ doubled: 0 }]);
  });

  test('takes over the entries of a consumer that died, and counts each of them once', async () => {
    await rig.send(seeds(50));
    const dead = openReader(rig.redis.url, 200);
    await rig.commands.xgroup('CREATE', rig.stream.transactions, 'scoring-workers', '0');
    const share = { shares: [50], transactionsMax: 50 };
    const read = { consumer: 'dead-1', streams: [rig.stream], ...share };
    const { deliveries } = await readGroup(dead, read);
    expect(deliveries[0]?.entries).toMatchObject([{ transactions: 50 }]);
    dead.disconnect();
    rig.startWorker();
    expect(await rig.settled(50)).toMatchObject({ scored: 50, deadLetters: 0 });
    const siblings = await rig.database.sql<{ siblings: number }>(siblingsSeen, ['acc_0']);
    expect(siblings.map((row) => row.siblings)).toEqual([0, 1, 2]);
  });

  test('answers the request that waits, also when the score is there already', async () => {
    await using replies = openReplies({ url: rig.redis.url, market: rig.database.market });
    const [transaction] = await rig.store(seeds(1));
    if (transaction === undefined) throw new Error('nothing stored');
    await waitUntil(
      async () => {
        const channel = `${rig.database.market}:replies:${replies.instance}`;
        const [, subscribers] = await rig.commands.pubsub('NUMSUB', channel);
        return subscribers === 1;
      },
      5000,
      'the subscription',
    );
    rig.startWorker();
    const first = replies.expect(transaction.transactionId);
    await rig.append([transaction], { replyTo: replies.instance });
    const score = await first.score;
    expect(score).toMatchObject({ transaction_id: transaction.transactionId, attempts: 1 });
    const second = replies.expect(transaction.transactionId);
    await rig.append([transaction], { replyTo: replies.instance, origin: 'reconciled' });
    expect(await second.score).toEqual(score);
  });

  test('reads a stream that appears while it works', async () => {
    rig.startWorker();
    await rig.send(seeds(1));
    await rig.settled(1);
    await rig.database.sql(`insert into shared.corridors values ('JP-KR', now(), 'market_0')`);
    await rig.send(seeds(3, Date.UTC(2026, 10, 2)).map((seed) => ({ ...seed, corridor: 'JP-KR' })));
    expect(await rig.settled(4)).toMatchObject({ scored: 4 });
  });
});
