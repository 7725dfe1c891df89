/**
 * Goal: what cannot be read or crashes its workers becomes a dead letter, and the workers go on. Method:
 * entries written to the stream by hand, on real services.
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { encodeEntry } from '../../src/stream/entry.ts';
import { GROUP } from '../../src/stream/keys.ts';
import { createWorkerRig, seeds, type WorkerRig } from '../support/worker-rig.ts';

let rig: WorkerRig;
beforeEach(async () => {
  rig = await createWorkerRig();
});
afterEach(async () => {
  await rig[Symbol.asyncDispose]();
});

type DeadRow = { transaction_id: string | null; error_code: string; entry: string };
const deadLetters = () =>
  rig.database.sql<DeadRow>(`select transaction_id, error_code, entry from dead_letters`);

describe('dead letters', () => {
  test('take malformed entries of every shape, once each, and spare what is between them', async () => {
    const transactions = await rig.store(seeds(20));
    const [good] = transactions;
    if (good === undefined) throw new Error('nothing stored');
    const fields = JSON.parse(
      encodeEntry({ transaction: good, attempt: 1, origin: 'ingest', replyTo: null }),
    ) as (string | null)[];
    const withField = (index: number, value: unknown) =>
      JSON.stringify(fields.map((field, at) => (at === index ? value : field)));
    const shapes: string[][] = [
      ['nothing', 'here'],
      ['v', '1'],
      ['v', '1', 'd', ''],
      ['v', '1', 'd', '{"a":1}'],
      ['v', '1', 'd', '[1,2,3'],
      ['v', '1', 'd', '[]'],
      ['v', '2', 'd', JSON.stringify(fields)],
      ['v', '1', 'd', withField(0, 'not-a-uuid')],
      ['v', '1', 'd', withField(5, 12.5)],
      ['v', '1', 'd', withField(5, '1e400')],
      ['v', '1', 'd', withField(1, '99999999999999999999')],
      ['v', '1', 'd', withField(13, '5')],
      ['v', '1', 'd', withField(14, 'elsewhere x')],
      ['v', '1', 'd', `"${'x'.repeat(1_000_000)}"`],
      ['v', '1', 'd', '[['.repeat(5000)],
      ['v', '1', 'd', '\0\uffff"'],
    ];
    for (const [index, shape] of shapes.entries()) {
      await rig.commands.xadd(rig.stream.transactions, '*', ...shape);
      await rig.append(transactions.slice(index, index + 1));
    }
    await rig.append(transactions.slice(shapes.length));
    rig.startWorker();
    const counts = await rig.settled(20 + shapes.length);
    expect(counts).toEqual({ scored: 20, deadLetters: shapes.length, waiting: 0, retries: 0 });
    const rows = await deadLetters();
    const codes = rows.map((row) => row.error_code);
    expect(codes.filter((code) => code === 'ENTRY_VERSION_UNKNOWN')).toHaveLength(2);
    expect(codes.filter((code) => code === 'ENTRY_MALFORMED')).toHaveLength(shapes.length - 2);
    for (const row of rows) expect(row.entry.length).toBeLessThanOrEqual(16 * 1024);
  });

  test('take text that Postgres refuses, and the transaction is named', async () => {
    const [transaction, neighbour] = await rig.store(seeds(2));
    if (transaction === undefined || neighbour === undefined) throw new Error('nothing stored');
    await rig.append([{ ...transaction, accountId: 'nul\0nul' }, neighbour]);
    rig.startWorker();
    expect(await rig.settled(2)).toMatchObject({ scored: 1, deadLetters: 1 });
    const [row] = await deadLetters();
    expect(row).toMatchObject({ transaction_id: transaction.transactionId });
  });

  test('take an entry that was delivered six times without an end, and only that one', async () => {
    await rig.send(seeds(3));
    const { transactions } = rig.stream;
    await rig.commands.xgroup('CREATE', transactions, GROUP, '0');
    const read = ['GROUP', GROUP, 'crashed', 'COUNT', 3, 'STREAMS', transactions, '>'];
    await rig.commands.call('XREADGROUP', read);
    const [second] = (await rig.commands.xrange(transactions, '-', '+')).slice(1);
    const id = second?.[0] ?? '';
    await rig.commands.call('XCLAIM', [transactions, GROUP, 'crashed', 0, id, 'RETRYCOUNT', 5]);
    rig.startWorker();
    expect(await rig.settled(3)).toMatchObject({ scored: 2, deadLetters: 1 });
    expect(await deadLetters()).toMatchObject([{ error_code: 'CRASHES_WORKER' }]);
  });

  test('are not made of a transaction that has a score', async () => {
    const [transaction] = await rig.send(seeds(1));
    if (transaction === undefined) throw new Error('nothing stored');
    rig.startWorker();
    await rig.settled(1);
    await rig.append([{ ...transaction, amount: '5.00', accountId: 'nul\0nul' }]);
    expect(await rig.settled(1)).toMatchObject({ scored: 1, deadLetters: 0, waiting: 0 });
  });

  test('acknowledge what was deleted while it was pending', async () => {
    await rig.send(seeds(2));
    const { transactions } = rig.stream;
    await rig.commands.xgroup('CREATE', transactions, GROUP, '0');
    const read = ['GROUP', GROUP, 'crashed', 'COUNT', 2, 'STREAMS', transactions, '>'];
    await rig.commands.call('XREADGROUP', read);
    const [first] = await rig.commands.xrange(transactions, '-', '+');
    await rig.commands.xdel(transactions, first?.[0] ?? '');
    rig.startWorker();
    // The reconciler, to which this Redis is new, brings back what the deleted entry stood for.
    expect(await rig.settled(2)).toMatchObject({ scored: 2, deadLetters: 0 });
    const [pending] = (await rig.commands.xpending(transactions, GROUP)) as unknown[];
    expect(pending).toBe(0);
  });
});
