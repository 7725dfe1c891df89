/**
 * Goal: settling ends every entry exactly as decided, and only for who may. Method: real Redis, one for
 * the file, emptied before each test.
 */
import { describe, expect, test } from 'vitest';
import { Failure } from '../../src/domain/failure.ts';
import { CLAIM_START, createGroupDuties } from '../../src/stream/consumer-group.ts';
import { packAgain } from '../../src/stream/entry.ts';
import { GROUP } from '../../src/stream/keys.ts';
import {
  createProve,
  createSettle,
  type EndedEntry,
  type PublishedScore,
  type Settlement,
} from '../../src/stream/settle.ts';
import { deliver as deliverAll } from '../support/delivered.ts';
import { idAt } from '../support/stored-rows.ts';
import { readEntries, readScored } from '../support/stream-entries.ts';
import { createStreamRig, payload, payloads, stream } from '../support/stream-rig.ts';

const { redis, producer, appendSingly, deliver, pending } = createStreamRig();
const AT = '2026-11-01T00:00:00.000Z';

function settlement(consumer: string, more: Partial<Settlement>): Settlement {
  return { stream, consumer, ended: [], replaced: [], replies: [], ...more };
}
const settle = (...settlements: Settlement[]) =>
  createSettle({ redis: redis(), market: 'm', scoresMax: 100 })(settlements);

const CODES = ['VELOCITY', 'NEW_DEVICE'];
const DECISION: PublishedScore['decision'] = {
  ...{ score: 7, risk: 0.07, verdict: 'approve' },
  reasons: CODES.map((code) => ({ code, detail: '', contribution: 0 })),
};
const idOf = (n: number) => idAt(Date.UTC(2026, 10), n);
const scoreOf = (n: number): PublishedScore[] =>
  deliverAll([
    {
      ...{ transactionId: idOf(n), createdAtMs: Date.UTC(2026, 10) },
      accountId: 'acc "1"',
      merchantId: 'm_ü',
    },
  ]).map((transaction) => ({ transaction, decision: DECISION }));

function ended(entryId: string, transactions = 1, more: Partial<EndedEntry> = {}): EndedEntry {
  const scores = Array.from({ length: transactions }, (_, n) => scoreOf(n)).flat();
  return { entryId, transactions, scores, scoredAt: AT, retries: [], deadLetters: [], ...more };
}

const letter = { transactionId: null, accountId: null, attempts: 1, error: 'x', failedAt: 'y' };
const next = (n: number) => ({ waitMs: 0, next: packAgain([payload(n)]) });
const counts = () => redis().hgetall(stream.counts);
const lengths = async () => [await pending(), await redis().xlen(stream.transactions)];

describe('settle', () => {
  test('acknowledges, deletes and announces a thousand entries in one call', async () => {
    await appendSingly(payloads(1500));
    const ids = await deliver('c', 1500);
    const [gone] = await settle(settlement('c', { ended: ids.map((id) => ended(id)) }));
    expect(gone).toEqual(new Set());
    expect(await lengths()).toEqual([0, 0]);
    // Trimmed to its bound: whole events only, so that at least as many scores are left.
    expect(await readScored(redis(), stream.scored)).toHaveLength(1500 - 10 * 128);
    expect(await counts()).toMatchObject({ scores: '1500' });
  });

  test('publishes what a settlement scored together, and what was scored at another time apart', async () => {
    await producer().append(payloads(150));
    const [first = '', second = ''] = await deliver('c', 150);
    const scoredAt = '2026-11-01T00:00:00.001Z';
    const all = [ended(first, 75), ended(second, 75, { scoredAt, scores: scoreOf(900) })];
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

  test('keeps events for seven days', async () => {
    const old = Date.now() - 7 * 86_400_000 - 60_000;
    const fields = ['v', '2', 'n', '1', 'scores', '[["old"]]'];
    await redis().xadd(stream.scored, `${old}-0`, ...fields);
    await redis().xadd(stream.scored, `${old + 120_000}-0`, ...fields);
    await producer().append(payloads(1));
    const [id = ''] = await deliver('c', 1);
    await settle(settlement('c', { ended: [ended(id)] }));
    const left = await readScored(redis(), stream.scored);
    expect(left.map(([transactionId]) => transactionId)).toEqual(['old', idOf(0)]);
  });

  test('keeps events up to their number of scores, and an eighth more at most', async () => {
    const few = createSettle({ redis: redis(), market: 'm', scoresMax: 16 });
    for (let round = 1; round <= 40; round++) {
      await producer().append(payloads(1));
      const [id = ''] = await deliver('c', 1);
      await few([settlement('c', { ended: [ended(id, 1, { scores: scoreOf(round) })] })]);
      const left = await readScored(redis(), stream.scored);
      expect(left.length).toBeGreaterThanOrEqual(Math.min(round, 16));
      expect(left.length).toBeLessThanOrEqual(18);
      expect(left.at(-1)?.[0]).toBe(idOf(round));
    }
    const { marks = '' } = await counts();
    expect(marks.split(' ').length / 2).toBeLessThanOrEqual(9);
  });

  test('writes no events where none are kept', async () => {
    await producer().append(payloads(1));
    const [id = ''] = await deliver('c', 1);
    const none = createSettle({ redis: redis(), market: 'm', scoresMax: 0 });
    await none([settlement('c', { ended: [ended(id)] })]);
    expect([await lengths(), await redis().exists(stream.scored)]).toEqual([[0, 0], 0]);
  });

  test('tells which acknowledged entries somebody else has settled, whose scores stand in no second event', async () => {
    await appendSingly(payloads(3));
    const ids = await deliver('c', 3);
    await settle(settlement('c', { ended: [ended(ids[1] ?? '')] }));
    const all = ids.map((id, n) => ended(id, 1, { scores: scoreOf(10 + n) }));
    expect(await settle(settlement('c', { ended: all }))).toEqual([new Set([ids[1]])]);
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
    expect(await settle(settlement('c', { ended: [some] }))).toEqual([new Set()]);
    expect(await lengths()).toEqual([0, 1]);
    expect(await redis().zcard(stream.retries)).toBe(1);
    expect(await redis().xlen(stream.deadLetters)).toBe(2);
    expect(await counts()).toMatchObject({ transactions: '1', scores: '2' });
  });

  test('moves nothing that another consumer has taken over', async () => {
    await appendSingly(payloads(3));
    const [retry = '', dead = '', released = ''] = await deliver('zombie', 3);
    await createGroupDuties(redis()).claim({
      ...{ stream: stream.transactions, consumer: 'heir', idleMs: 0 },
      ...{ cursor: CLAIM_START, transactionsMax: 10 },
    });
    const by = [packAgain([payload(2)]), packAgain([payload(3)])];
    const claims = {
      ended: [
        ended(retry, 1, { scores: [], retries: [next(0)] }),
        ended(dead, 1, { scores: [], deadLetters: [letter] }),
      ],
      replaced: [{ entryId: released, transactions: 1, by }],
    };
    await settle(settlement('zombie', claims));
    expect(await pending()).toBe(3);
    expect(await counts()).toEqual({ transactions: '3' });
    await settle(settlement('heir', claims));
    expect(await pending()).toBe(0);
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
    await expect(createProve(redis())(broken)).rejects.toMatchObject({ code: 'REDIS_WRONGTYPE' });
    const both = await settle(settlement('c', { stream: broken }), settlement('c', all));
    expect(both).toEqual([expect.any(Failure), new Set()]);
    expect(await lengths()).toEqual([0, 0]);
    await createProve(redis())(stream);
  });

  test('gets through when the group is gone, and when Redis is full', async () => {
    await appendSingly(payloads(3));
    const [first = '', second = '', third = ''] = await deliver('c', 3);
    const retried = (id: string) => ended(id, 1, { scores: [], retries: [next(0)] });
    await redis().config('SET', 'maxmemory', '1');
    await settle(settlement('c', { ended: [retried(first), ended(second)] }));
    await settle(settlement('zombie', { ended: [retried(third)] }));
    await redis().config('SET', 'maxmemory', '0');
    expect(await redis().zcard(stream.retries)).toBe(1);
    await redis().xgroup('DESTROY', stream.transactions, GROUP);
    await settle(settlement('c', { ended: [retried(third)] }));
    expect(await redis().xlen(stream.transactions)).toBe(1);
  });
});
