/**
 * Goal: settling ends every entry exactly as decided, and only for who may. Method: real Redis, one for
 * the file, emptied before each test.
 */
import { describe, expect, test } from 'vitest';
import { Failure } from '../../src/domain/failure.ts';
import { CLAIM_START, createGroupDuties } from '../../src/stream/consumer-group.ts';
import { GROUP } from '../../src/stream/keys.ts';
import { createProve, createSettle, type Settlement } from '../../src/stream/settle.ts';
import { createStreamRig, payloads, stream } from '../support/stream-rig.ts';

const { redis, producer, deliver, pending } = createStreamRig();

function settlement(consumer: string, more: Partial<Settlement>): Settlement {
  return {
    ...{ stream, consumer, scoredAt: '2026-11-01T00:00:00.000Z' },
    ...{ acknowledged: [], retries: [], deadLetters: [], released: [], replies: [] },
    ...more,
  };
}
const settle = (...settlements: Settlement[]) =>
  createSettle({ redis: redis(), market: 'm', scoredEventsMax: 100 })(settlements);
describe('settle', () => {
  const event = { transactionId: 'tx', accountId: 'acc', score: 7, verdict: 'approve' };

  test('acknowledges, deletes and announces a thousand entries in one call', async () => {
    await producer(2000).append(payloads(1500));
    const ids = await deliver('c', 1500);
    const acknowledged = ids.map((entryId) => ({ entryId, event }));
    const [gone] = await settle(settlement('c', { acknowledged }));
    expect(gone).toEqual(new Set());
    expect([await pending(), await redis().xlen(stream.transactions)]).toEqual([0, 0]);
    const [[, fields] = ['', []]] = await redis().xrevrange(stream.scored, '+', '-', 'COUNT', 1);
    expect(fields).toEqual([
      ...['v', '1', 'transaction_id', 'tx', 'account_id', 'acc', 'score', '7'],
      ...['verdict', 'approve', 'scored_at', '2026-11-01T00:00:00.000Z'],
    ]);
    // Trimmed about to its bound: whole nodes only.
    expect(await redis().xlen(stream.scored)).toBeLessThan(300);
  });

  test('tells which acknowledged entries somebody else has settled', async () => {
    await producer().append(payloads(2));
    const ids = await deliver('c', 2);
    await settle(settlement('c', { acknowledged: [{ entryId: ids[0] ?? '', event }] }));
    const acknowledged = ids.map((entryId) => ({ entryId, event }));
    expect(await settle(settlement('c', { acknowledged }))).toEqual([new Set([ids[0]])]);
    expect(await redis().xlen(stream.scored)).toBe(2);
  });

  test('moves nothing that another consumer has taken over', async () => {
    await producer().append(payloads(3));
    const [retry = '', dead = '', released = ''] = await deliver('zombie', 3);
    await createGroupDuties(redis()).claim({
      ...{ stream: stream.transactions, consumer: 'heir', idleMs: 0 },
      ...{ cursor: CLAIM_START, entriesMax: 10 },
    });
    const letter = { transactionId: null, accountId: null, attempts: 1, error: 'x', failedAt: 'y' };
    const claims = {
      retries: [{ entryId: retry, waitMs: 0, packed: 'next' }],
      deadLetters: [{ entryId: dead, ...letter }],
      released: [{ entryId: released, packed: 'same' }],
    };
    await settle(settlement('zombie', claims));
    expect(await pending()).toBe(3);
    await settle(settlement('heir', claims));
    expect(await pending()).toBe(0);
    expect(await redis().zcard(stream.retries)).toBe(1);
    expect(await redis().xlen(stream.deadLetters)).toBe(1);
    const entries = await redis().xrange(stream.transactions, '-', '+');
    expect(entries.map(([, fields]) => fields)).toEqual([['v', '1', 'd', 'same']]);
  });

  test('does nothing of a settlement where a key is of another type, and all of the others', async () => {
    await producer().append(payloads(1));
    const [entryId = ''] = await deliver('c', 1);
    const broken = { ...stream, scored: `${stream.scored}-broken` };
    await redis().set(broken.scored, 'not a stream');
    const acknowledged = [{ entryId, event }];
    const [failure] = await settle(settlement('c', { stream: broken, acknowledged }));
    expect(failure).toMatchObject({ code: 'REDIS_WRONGTYPE' });
    expect([await pending(), await redis().xlen(stream.transactions)]).toEqual([1, 1]);
    await expect(createProve(redis())(broken)).rejects.toMatchObject({ code: 'REDIS_WRONGTYPE' });
    const both = await settle(
      settlement('c', { stream: broken }),
      settlement('c', { acknowledged }),
    );
    expect(both).toEqual([expect.any(Failure), new Set()]);
    expect([await pending(), await redis().xlen(stream.transactions)]).toEqual([0, 0]);
    await createProve(redis())(stream);
  });

  test('gets through when the group is gone, and when Redis is full', async () => {
    await producer().append(payloads(2));
    const [first = '', second = ''] = await deliver('c', 2);
    await redis().config('SET', 'maxmemory', '1');
    await settle(settlement('c', { retries: [{ entryId: first, waitMs: 0, packed: 'next' }] }));
    await redis().config('SET', 'maxmemory', '0');
    expect(await redis().zcard(stream.retries)).toBe(1);
    await redis().xgroup('DESTROY', stream.transactions, GROUP);
    await settle(settlement('c', { retries: [{ entryId: second, waitMs: 0, packed: 'next' }] }));
    expect(await redis().xlen(stream.transactions)).toBe(1);
  });
});
