/**
 * Goal: entries of dead consumers are taken over with care, those of live ones are not. Method: real Redis, one for the
 * file, emptied before each test.
 */
import { describe, expect, test } from 'vitest';
import { ENTRY_VERSION, packAgain } from '../../src/core/stream/entries/entry.ts';
import {
  CLAIM_START,
  type ClaimOptions,
  claimStale,
  heartbeat,
  listConsumers,
  removeConsumer,
} from '../../src/core/stream/group/consumer-group.ts';
import { readGroup } from '../../src/core/stream/group/read-group.ts';
import { GROUP } from '../../src/core/stream/keys.ts';
import { createStreamRig, payload, payloads, stream } from '../support/stream-rig.ts';

const { redis, producer, appendSingly, deliver, pending } = createStreamRig();

const claim = (options: ClaimOptions) => claimStale(redis(), ENTRY_VERSION, options);

describe('group duties', () => {
  test('claim walks on from its cursor, counts deliveries and drops deleted entries', async () => {
    await appendSingly(payloads(30));
    const ids = await deliver('dead', 30);
    await redis().xdel(stream.transactions, ids[0] ?? '');
    const options = {
      stream,
      consumer: 'heir',
      idleMs: 0,
      transactionsMax: 10,
    };
    const seen: string[] = [];
    let cursor = CLAIM_START;
    do {
      const claimed = await claim({ ...options, cursor });
      for (const entry of claimed.entries) {
        expect(entry).toMatchObject({ deleted: false, deliveries: 2 });
        seen.push(entry.id);
      }
      cursor = claimed.cursor;
    } while (cursor !== CLAIM_START);
    expect(seen).toEqual(ids.slice(1));
    expect(await pending()).toBe(29);
    const tooYoung = await claim({ ...options, idleMs: 60_000, cursor });
    expect(tooYoung).toEqual({ cursor: CLAIM_START, entries: [], suspects: [] });
  });

  test('claim takes an entry that was delivered often alone, and leaves others uncounted', async () => {
    await appendSingly(payloads(5));
    const ids = await deliver('dead', 5);
    const suspect = [
      'XCLAIM',
      stream.transactions,
      GROUP,
      'dead',
      0,
      ids[2] ?? '',
      'RETRYCOUNT',
      3,
    ];
    await redis().call(suspect[0] as string, suspect.slice(1));
    const batches: (readonly [string, number])[][] = [];
    let cursor = CLAIM_START;
    do {
      const options = { consumer: 'heir', idleMs: 0, transactionsMax: 10, cursor };
      const claimed = await claim({ stream, ...options });
      batches.push(claimed.entries.map(({ id, deliveries }) => [id, deliveries] as const));
      cursor = claimed.cursor;
    } while (cursor !== CLAIM_START);
    expect(batches.filter((batch) => batch.length > 0)).toEqual([
      [
        [ids[0], 2],
        [ids[1], 2],
      ],
      [[ids[2], 4]],
      [
        [ids[3], 2],
        [ids[4], 2],
      ],
    ]);
  });

  test('claim counts on what entries of one carry, and tells those of several that are to be divided', async () => {
    const options = { stream, consumer: 'heir', idleMs: 0, cursor: '-' };
    await producer().append(payloads(3));
    await appendSingly([payload(4)]);
    const [many = '', one = ''] = await deliver('dead', 4);
    const first = await claim({ ...options, transactionsMax: 3 });
    expect(first.entries).toMatchObject([{ id: many, deliveries: 2, transactions: 3 }]);
    expect(first.suspects).toEqual([]);
    const second = await claim({ ...options, transactionsMax: 10 });
    expect(second.suspects).toMatchObject([{ id: many, deliveries: 2 }]);
    expect(second.entries).toMatchObject([{ id: one, deliveries: 2 }]);
    // Not counted: nobody works on it.
    expect(await claim({ ...options, transactionsMax: 3 })).toMatchObject({
      suspects: [{ id: many, deliveries: 2 }],
    });
    const { packed, head } = packAgain([payload(1)], 2);
    await redis().flushall();
    const fields = ['v', ENTRY_VERSION, 'n', '1', 'h', head, 'd'];
    await redis().xadd(stream.transactions, '*', ...fields, packed);
    await deliver('dead', 1);
    const carried = await claim({ ...options, transactionsMax: 10 });
    expect(carried.entries).toMatchObject([{ deliveries: 4 }]);
  });

  test('claim leaves entries of another version as they are, for whoever reads them', async () => {
    const { packed } = packAgain([payload(1)]);
    for (const version of ['77', ENTRY_VERSION, 'none', '77']) {
      const fields = ['v', version, 'n', '1', 'h', 'attempt=1 origin=ingest', 'd'];
      await redis().xadd(stream.transactions, '*', ...fields, packed);
    }
    const [first, second, third, fourth] = await deliver('dead', 4);
    const options = { stream, consumer: 'heir', idleMs: 0, cursor: '-', transactionsMax: 10 };
    // A text that is no version is nobody's in particular.
    const ours = await claim(options);
    expect(ours.entries).toMatchObject([second, third].map((id) => ({ id, deliveries: 2 })));
    const theirs = await claimStale(redis(), '77', options);
    expect(theirs.entries.map(({ id, deliveries }) => [id, deliveries])).toEqual([
      ...[
        [first, 2],
        [third, 3],
        [fourth, 2],
      ],
    ]);
  });

  test('heartbeat keeps what is ours and leaves what is not', async () => {
    await appendSingly(payloads(2));
    const [ours = ''] = await deliver('c', 1);
    const [theirs = ''] = await deliver('other', 1);
    expect(await heartbeat(redis(), stream.transactions, 'c', [ours, theirs])).toBe(1);
    const rows = (await redis().xpending(stream.transactions, GROUP, '-', '+', 10)) as unknown[][];
    expect(rows.map((row) => [row[1], row[3]])).toEqual([
      ['c', 1],
      ['other', 1],
    ]);
  });

  test('removeConsumer spares a consumer with something pending', async () => {
    await producer().append(payloads(1));
    const [id = ''] = await deliver('c', 1);
    await removeConsumer(redis(), [stream.transactions, 'no:such:stream'], 'c');
    expect((await listConsumers(redis(), stream.transactions)).map(({ name }) => name)).toEqual([
      'c',
    ]);
    await redis().xack(stream.transactions, GROUP, id);
    await removeConsumer(redis(), [stream.transactions], 'c');
    expect(await listConsumers(redis(), stream.transactions)).toEqual([]);
    expect(await listConsumers(redis(), 'no:such:stream')).toEqual([]);
  });

  test('readGroup gives what was delivered and never settled', async () => {
    await appendSingly(payloads(3));
    const ids = await deliver('c', 3);
    await redis().xack(stream.transactions, GROUP, ids[1] ?? '');
    const read = { consumer: 'c', streams: [stream], shares: [10], transactionsMax: 10 };
    const { deliveries } = await readGroup(redis(), read, '0');
    expect(deliveries[0]?.entries.map(({ id }) => id)).toEqual([ids[0], ids[2]]);
  });
});
