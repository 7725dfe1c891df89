/**
 * Goal: what is answered with success is stored once, whatever repeats, overlaps or collides. Method:
 * an API process on real Postgres and Redis, driven over HTTP; the effects are counted in SQL.
 */
import { describe, expect, test } from 'vitest';
import { openRunningApi } from '../support/running-api.ts';
import { readRows } from '../support/stored-rows.ts';
import { readEntries } from '../support/stream-entries.ts';
import { count, input, postBatch, postOne } from '../support/submit.ts';

// On a crowded machine the default slots shrink below fifty, and ten connections take longer than 1.5 s to open.
const api = await openRunningApi({
  RISK_REQUESTS_IN_FLIGHT_MAX: '10000',
  RISK_CONNECT_TIMEOUT_MS: '60000',
});

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

describe('one', () => {
  test('is stored, streamed and answered 201 with its id; created_at is in the id', async () => {
    const created_at = '2026-11-03T04:05:06.789+02:00';
    const sent = input({ created_at, metadata: { order: [1, { b: 'é', a: null }] }, ip: '::1' });
    const { status, body, headers } = await postOne(api, sent);
    expect(status).toBe(201);
    expect(body).toEqual({
      transaction_id: expect.stringMatching(UUID_V7),
      status: 'accepted',
      created_at: '2026-11-03T02:05:06.789Z',
      score: null,
    });
    expect(headers.get('location')).toBe(`/v1/transactions/${body.transaction_id}`);
    const time = body.transaction_id.slice(0, 8) + body.transaction_id.slice(9, 13);
    expect(Number.parseInt(time, 16)).toBe(Date.parse(created_at));
    const read = await (await api.request(`/v1/transactions/${body.transaction_id}`)).json();
    expect(read).toMatchObject({
      status: 'accepted',
      amount: '125.50',
      metadata: sent['metadata'],
    });
    const payloads = await readEntries(api.redis, '{market_0:US-EG:0}:past');
    const ids = payloads.map(({ transaction }) => transaction.transactionId);
    expect(ids).toContain(body.transaction_id);
    const own = payloads.find(({ transaction }) => transaction.transactionId === ids.at(-1));
    const rows = await readRows(api.database.query);
    expect(rows).toContainEqual({
      ...{ rowId: own?.rowId, isLeft: false },
      transactionIds: [body.transaction_id],
    });
  });

  test('a known key with another body is 422 and stores nothing', async () => {
    const sent = input({ metadata: { basket: 1 }, device_id: 'd_1' });
    const first = await postOne(api, sent);
    const before = await count(api, 'transactions');
    const known = `must be new: '${sent['idempotency_key']}' is the key of transaction ${first.body.transaction_id}`;
    const at = '2026-11-20T09:30:00.000Z';
    for (const [changed, differ] of [
      [{ amount: '125.5' }, 'spelling of amount differs'],
      [{ amount: '125.51' }, 'amount differs'],
      [
        { metadata: { basket: 2 }, device_id: undefined, created_at: at },
        'created_at, device_id, and metadata differ',
      ],
      [{ created_at: new Date(first.body.created_at).toISOString() }, 'created_at differs'],
    ] as const) {
      const { status, body } = await postOne(api, { ...sent, ...changed });
      expect(status).toBe(422);
      expect(body).toMatchObject({
        type: 'urn:risk:problem:key-conflict',
        help: '/docs/problems#key-conflict',
        errors: [{ pointer: '/idempotency_key', detail: `${known}, whose ${differ}` }],
      });
    }
    expect(await count(api, 'transactions')).toBe(before);
  });

  test('fifty at once make one transaction: one 201, the others 200 with its id', async () => {
    const sent = input();
    const answers = await Promise.all(Array.from({ length: 50 }, () => postOne(api, sent)));
    expect(answers.filter(({ status }) => status >= 300)).toEqual([]);
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(new Set(answers.map(({ body }) => body.transaction_id)).size).toBe(1);
    const key = sent['idempotency_key'];
    expect(
      await count(api, `idempotency_keys where digest = idempotency_digest('default', '${key}')`),
    ).toBe(1);
  });

  test('a month without partition gets one on the way in, also by fifty at once', async () => {
    const created_at = '2011-02-03T04:05:06Z';
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => postOne(api, input({ created_at }))),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
    expect(await count(api, 'transactions_y2011m02')).toBe(50);
  });
});

describe('a batch', () => {
  test('is refused whole when one item is invalid, and names every bad field', async () => {
    const before = await count(api, 'transactions');
    const { status, body } = await postBatch(api, [
      input(),
      input({ amount: 12, account_id: '' }),
      input({ corridor: 'US-US-' }),
    ]);
    expect(status).toBe(422);
    expect(body.errors.map((error: { pointer: string }) => error.pointer).sort()).toEqual([
      '/transactions/1/account_id',
      '/transactions/1/amount',
      '/transactions/2/corridor',
    ]);
    expect(await count(api, 'transactions')).toBe(before);
  });

  test('the same key twice: same body is a duplicate, another body names both', async () => {
    const item = input();
    const same = await postBatch(api, [item, input(), item]);
    expect(same.body).toMatchObject({ accepted: 2, duplicates: 1 });
    expect(same.body.results[2]).toEqual({
      ...same.body.results[0],
      index: 2,
      status: 'duplicate',
    });
    const twice = input();
    const other = await postBatch(api, [input(), twice, { ...twice, amount: '1.00' }]);
    expect(other.status).toBe(422);
    expect(other.body.errors).toEqual([
      { pointer: '/transactions/1/idempotency_key', detail: expect.stringContaining('item 2') },
      { pointer: '/transactions/2/idempotency_key', detail: expect.stringContaining('item 1') },
    ]);
  });

  test('of duplicates alone opens no row and appends nothing', async () => {
    const items = [input(), input()];
    await postBatch(api, items);
    const rows = await count(api, 'open_rows');
    const length = await api.redis.xlen('{market_0:US-EG:0}:transactions');
    expect((await postBatch(api, items)).body).toMatchObject({ accepted: 0, duplicates: 2 });
    expect(await count(api, 'open_rows')).toBe(rows);
    expect(await api.redis.xlen('{market_0:US-EG:0}:transactions')).toBe(length);
  });

  test('overlapping batches in opposite orders from twenty clients deadlock nobody', async () => {
    const items = Array.from({ length: 300 }, () => input());
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        postBatch(api, n % 2 === 0 ? items : items.toReversed()),
      ),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200));
    const accepted = answers.reduce((sum, { body }) => sum + body.accepted, 0);
    const duplicates = answers.reduce((sum, { body }) => sum + body.duplicates, 0);
    expect([accepted, duplicates]).toEqual([300, 20 * 300 - 300]);
    const idsByKey = new Map<unknown, Set<string>>();
    for (const [n, { body }] of answers.entries()) {
      const order = n % 2 === 0 ? items : items.toReversed();
      for (const [at, item] of order.entries()) {
        const ids = idsByKey.get(item['idempotency_key']) ?? new Set();
        idsByKey.set(item['idempotency_key'], ids.add(body.results[at].transaction_id));
      }
    }
    expect([...idsByKey.values()].every((ids) => ids.size === 1)).toBe(true);
  });
});
