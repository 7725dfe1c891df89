/**
 * Goal: settling ends every entry exactly as decided, and only for its owner; claims and removals spare what is
 * another's. Method: real Redis, one for the file, emptied before each test.
 */
import { describe, expect, test } from 'vitest';
import { ENTRY_VERSION, packAgain } from '../../src/core/stream/entries/entry.ts';
import {
  CLAIM_START,
  claimStale,
  listConsumers,
  removeConsumer,
} from '../../src/core/stream/group/consumer-group.ts';
import { GROUP } from '../../src/core/stream/keys.ts';
import {
  type EndedEntry,
  type PublishedScores,
  type Settlement,
  settle as settleIn,
} from '../../src/core/stream/settle/settle.ts';
import { toRow } from '../../src/core/work/decided.ts';
import { deliver as deliverAll } from '../support/delivered.ts';
import { idAt } from '../support/stored-rows.ts';
import { readEntries, readScored } from '../support/stream-entries.ts';
import { createStreamRig, marketIn, payload, payloads, stream } from '../support/stream-rig.ts';

const { redis, producer, appendSingly, deliver, pending } = createStreamRig();
const AT = '2026-11-01T00:00:00.000Z';

function settlement(consumer: string, more: Partial<Settlement>): Settlement {
  return { stream, consumer, ended: [], replaced: [], replies: [], ...more };
}
const settle = async (...settlements: Settlement[]) =>
  (await settleIn(marketIn(redis()), settlements)).failures;

const CODES = ['VELOCITY', 'NEW_DEVICE'];
const DECISION: Parameters<typeof toRow>[1] = {
  ...{ score: 7, risk: 0.07, verdict: 'approve' },
  reasons: CODES.map((code) => ({ code, detail: '', contribution: 0 })),
};
const idOf = (n: number) => idAt(Date.UTC(2026, 10), n);
const scoreOf = (n: number): PublishedScores[] =>
  deliverAll([
    {
      ...{ transactionId: idOf(n), createdAtMs: Date.UTC(2026, 10) },
      accountId: 'acc "1"',
      merchantId: 'm_ü',
    },
  ]).map((transaction) => ({ count: 1, rows: toRow(transaction, DECISION) }));

function ended(entryId: string, transactions = 1, more: Partial<EndedEntry> = {}): EndedEntry {
  const scores = Array.from({ length: transactions }, (_, n) => scoreOf(n)).flat();
  const none = { needsOwner: false, retries: [], deadLetters: [] };
  return { entryId, transactions, scores, scoredAtMs: Date.parse(AT), ...none, ...more };
}

const letter = { transactionId: null, accountId: null, attempts: 1, error: 'x', failedAt: 'y' };
const next = (n: number) => ({ waitMs: 0, next: packAgain([payload(n)]) });
const counts = () => redis().hgetall(stream.counts);

describe('settle', () => {
  test('moves nothing that another consumer has taken over', async () => {
    await appendSingly(payloads(4));
    const [retry = '', dead = '', released = '', told = ''] = await deliver('zombie', 4);
    await claimStale(redis(), ENTRY_VERSION, {
      ...{ stream, consumer: 'heir', idleMs: 0 },
      ...{ cursor: CLAIM_START, transactionsMax: 10 },
    });
    const by = [packAgain([payload(2)]), packAgain([payload(3)])];
    const claims = {
      ended: [
        ended(retry, 1, { scores: [], retries: [next(0)] }),
        ended(dead, 1, { scores: [], deadLetters: [letter] }),
        ended(told, 1, { needsOwner: true }),
      ],
      replaced: [{ entryId: released, transactions: 1, by }],
    };
    await settle(settlement('zombie', claims));
    expect(await pending()).toBe(4);
    expect(await readScored(redis(), stream.scored)).toEqual([]);
    expect(await counts()).toEqual({ transactions: '4' });
    await settle(settlement('heir', claims));
    expect(await pending()).toBe(0);
    expect(await readScored(redis(), stream.scored)).toHaveLength(1);
    expect(await redis().zcard(stream.retries)).toBe(1);
    expect(await redis().xlen(stream.deadLetters)).toBe(1);
    expect(await readEntries(redis(), stream.transactions)).toEqual([payload(2), payload(3)]);
    expect(await counts()).toEqual({ transactions: '2' });
  });

  test('publishes where the number of what is held is lost', async () => {
    await appendSingly(payloads(2));
    const [id = ''] = await deliver('c', 1);
    await redis().del(stream.counts);
    await settle(settlement('c', { ended: [ended(id)] }));
    expect(await readScored(redis(), stream.scored)).toHaveLength(1);
    expect(await counts()).toEqual({ transactions: '1' });
  });

  test('gets through when the group is gone', async () => {
    await appendSingly(payloads(2));
    const [first = '', second = ''] = await deliver('c', 2);
    const retried = (id: string) => ended(id, 1, { scores: [], retries: [next(0)] });
    await settle(settlement('c', { ended: [retried(first)] }));
    expect(await redis().zcard(stream.retries)).toBe(1);
    await redis().xgroup('DESTROY', stream.transactions, GROUP);
    await settle(settlement('c', { ended: [retried(second)] }));
    expect(await redis().xlen(stream.transactions)).toBe(1);
  });
});

describe('group duties', () => {
  test('claim leaves entries of another version as they are, for whoever reads them', async () => {
    const { packed } = packAgain([payload(1)]);
    for (const version of ['77', ENTRY_VERSION, 'none', '77']) {
      const fields = ['v', version, 'n', '1', 'h', 'attempt=1 origin=ingest', 'd'];
      await redis().xadd(stream.transactions, '*', ...fields, packed);
    }
    const [first, second, third, fourth] = await deliver('dead', 4);
    const options = { stream, consumer: 'heir', idleMs: 0, cursor: '-', transactionsMax: 10 };
    // A text that is no version is nobody's in particular.
    const ours = await claimStale(redis(), ENTRY_VERSION, options);
    expect(ours.entries).toMatchObject([second, third].map((id) => ({ id, deliveries: 2 })));
    const theirs = await claimStale(redis(), '77', options);
    expect(theirs.entries.map(({ id, deliveries }) => [id, deliveries])).toEqual([
      [first, 2],
      [third, 3],
      [fourth, 2],
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
});
