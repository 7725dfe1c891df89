/**
 * Goal: settling ends every entry exactly as decided, and only for its owner. Method: real Redis, one for the
 * file, emptied before each test.
 */
import { describe, expect, test } from 'vitest';
import { ENTRY_VERSION, packAgain } from '../../src/core/stream/entries/entry.ts';
import { CLAIM_START, claimStale } from '../../src/core/stream/group/consumer-group.ts';
import { GROUP } from '../../src/core/stream/keys.ts';
import {
  type EndedEntry,
  type PublishedScores,
  prove,
  type Settlement,
  settle as settleIn,
} from '../../src/core/stream/settle/settle.ts';
import { toRow } from '../../src/core/work/acknowledge.ts';
import { Failure } from '../../src/kit/words/failure.ts';
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
const lengths = async () => [await pending(), await redis().xlen(stream.transactions)];

describe('settle', () => {
  test('acknowledges, deletes and announces a thousand entries in one call', async () => {
    await appendSingly(payloads(1500));
    const ids = await deliver('c', 1500);
    expect(await settle(settlement('c', { ended: ids.map((id) => ended(id)) }))).toEqual([null]);
    expect(await lengths()).toEqual([0, 0]);
    expect(await readScored(redis(), stream.scored)).toHaveLength(1500);
    expect(await counts()).toEqual({});
  });

  test('publishes what a settlement scored together, and what was scored at another time apart', async () => {
    await producer().append(payloads(150));
    const [first = '', second = ''] = await deliver('c', 150);
    const scoredAt = '2026-11-01T00:00:00.001Z';
    const later = { scoredAtMs: Date.parse(scoredAt), scores: scoreOf(900) };
    const all = [ended(first, 75), ended(second, 75, later)];
    await settle(settlement('c', { ended: all }));
    const events = await redis().xrange(stream.scored, '-', '+');
    expect(events.map(([, fields]) => fields.slice(0, 8))).toEqual([
      ['v', '2', 'n', '75', 'corridor', 'US-EG', 'scored_at', AT],
      ['v', '2', 'n', '1', 'corridor', 'US-EG', 'scored_at', scoredAt],
    ]);
    expect((await readScored(redis(), stream.scored)).at(-1)).toEqual([
      ...[idOf(900), 'acc "1"', 'm_ü', 7, 0.07, 'approve'],
      ['VELOCITY', 'NEW_DEVICE'],
    ]);
  });

  test('writes no events and no copies where there is no room, and tells of how many scores', async () => {
    await appendSingly(payloads(2));
    const [first = '', second = ''] = await deliver('c', 2);
    const all = [ended(first), ended(second, 1, { scores: [], deadLetters: [letter] })];
    const settled = await settleIn(marketIn(redis(), 0), [settlement('c', { ended: all })]);
    expect(await lengths()).toEqual([0, 0]);
    expect(await redis().exists(stream.scored, stream.deadLetters)).toBe(0);
    expect(settled).toEqual({ failures: [null], unpublished: 1 });
  });

  test('publishes no scores of entries that somebody else has settled', async () => {
    await appendSingly(payloads(3));
    const ids = await deliver('c', 3);
    await settle(settlement('c', { ended: [ended(ids[1] ?? '')] }));
    const all = ids.map((id, n) => ended(id, 1, { scores: scoreOf(10 + n) }));
    expect(await settle(settlement('c', { ended: all }))).toEqual([null]);
    const rows = await readScored(redis(), stream.scored);
    expect(rows.map(([transactionId]) => transactionId)).toEqual([0, 10, 12].map((n) => idOf(n)));
    const events = await redis().xrange(stream.scored, '-', '+');
    expect(events.map(([, fields]) => fields[3])).toEqual(['1', '2']);
  });

  test('divides an entry: what failed leaves it, the rest is published, and it is gone', async () => {
    await producer().append(payloads(5));
    await appendSingly([payload(9)]);
    const [id = ''] = await deliver('c', 5);
    const some = ended(id, 5, {
      ...{ scores: [...scoreOf(0), ...scoreOf(1)], deadLetters: [letter, letter] },
      retries: [next(4)],
    });
    expect(await settle(settlement('c', { ended: [some] }))).toEqual([null]);
    expect(await lengths()).toEqual([0, 1]);
    expect(await redis().zcard(stream.retries)).toBe(1);
    expect(await redis().xlen(stream.deadLetters)).toBe(2);
    expect(await counts()).toEqual({ transactions: '1' });
  });

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

  test('does nothing of a settlement where a key is of another type, and all of the others', async () => {
    await producer().append(payloads(1));
    const [entryId = ''] = await deliver('c', 1);
    const broken = { ...stream, scored: `${stream.scored}-broken` };
    await redis().set(broken.scored, 'not a stream');
    const all = { ended: [ended(entryId)] };
    const [failure] = await settle(settlement('c', { stream: broken, ...all }));
    expect(failure).toMatchObject({ code: 'REDIS_WRONGTYPE' });
    expect(await lengths()).toEqual([1, 1]);
    await expect(prove(redis(), broken)).rejects.toMatchObject({ code: 'REDIS_WRONGTYPE' });
    const both = await settle(settlement('c', { stream: broken }), settlement('c', all));
    expect(both).toEqual([expect.any(Failure), null]);
    expect(await lengths()).toEqual([0, 0]);
    await prove(redis(), stream);
  });

  test('gets through when Redis is full, without events and copies', async () => {
    await appendSingly(payloads(5));
    await producer().append([payload(5), payload(6)]);
    const ids = await deliver('c', 7);
    const [done = '', retried = '', dead = '', divided = '', released = '', pair = ''] = ids;
    await redis().config('SET', 'maxmemory', '1');
    const by = [packAgain([payload(4)])];
    const { unpublished } = await settleIn(marketIn(redis()), [
      settlement('c', {
        ended: [
          ended(done),
          ended(retried, 1, { scores: [], retries: [next(1)] }),
          ended(dead, 1, { scores: [], deadLetters: [letter] }),
          ended(divided, 1, { deadLetters: [letter] }),
          ended(pair, 2),
        ],
        replaced: [{ entryId: released, transactions: 1, by }],
      }),
    ]);
    await redis().config('SET', 'maxmemory', '0');
    expect(await lengths()).toEqual([0, 1]);
    expect(await readEntries(redis(), stream.transactions)).toEqual([payload(4)]);
    expect(await redis().zcard(stream.retries)).toBe(1);
    expect(await redis().exists(stream.scored, stream.deadLetters)).toBe(0);
    expect(unpublished).toBe(4);
    expect(await counts()).toEqual({ transactions: '1' });
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
