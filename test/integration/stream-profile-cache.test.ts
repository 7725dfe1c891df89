/**
 * Goal: of writers of one profile exactly one wins, and a Redis without room never leaves an older value
 * behind for a current one. Method: real Redis, values made by hand.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openCommands, type RedisClient } from '../../src/stream/connection.ts';
import {
  createProfileCache,
  type ProfileCache,
  type ProfileStore,
} from '../../src/stream/profile-cache.ts';
import { startTestRedis, type TestService } from '../support/services.ts';
import { waitUntil } from '../support/wait-until.ts';

let service: TestService;
let redis: RedisClient;
let cache: ProfileCache;
beforeAll(async () => {
  service = await startTestRedis();
  redis = openCommands(service.url, 2000);
  // Each cache listens to the connection.
  redis.setMaxListeners(100);
  await waitUntil(() => redis.status === 'ready', 5000, 'redis');
});
afterAll(async () => {
  redis.disconnect();
  await service[Symbol.asyncDispose]();
});
beforeEach(async () => {
  await redis.flushall();
  cache = createProfileCache(options());
});

const options = () => ({ redis, market: 'm', headerBytes: 8, ttlSeconds: 60 });

const header = (version: number) => {
  const bytes = Buffer.alloc(8, 0xff);
  bytes.writeUInt32LE(version);
  return bytes.toString('latin1');
};
const key = (n: number) => `{m:p0${n % 4}}:account:${n}`;
function replace(n: number, expected: number | null, version: number, body: string): ProfileStore {
  return {
    ...{ key: key(n), slot: n % 4, offset: 0, header: header(version) },
    expected: expected === null ? null : header(expected),
    bytes: Buffer.from(body),
  };
}
/** What the cache holds after a write of a whole value. */
const value = (body: string | Uint8Array, version: number) =>
  Buffer.concat([Buffer.from(body), Buffer.from(header(version), 'latin1')]);
function append(
  n: number,
  { expected, version, offset = 1 }: { expected: number; version: number; offset?: number },
  body: string,
): ProfileStore {
  return {
    ...{ key: key(n), slot: n % 4, offset, header: header(version) },
    ...{ expected: header(expected), bytes: Buffer.from(body) },
  };
}
const load = (n: number, known: string | null = null) =>
  cache.load([{ key: key(n), slot: n % 4, known }]);

describe('profile cache', () => {
  test('stores and loads many of many slots, each in its place', async () => {
    const writes = Array.from({ length: 40 }, (_, n) => replace(n, null, n + 1, `body ${n}`));
    expect(await cache.store(writes)).toEqual(writes.map(() => 'stored'));
    const loaded = await cache.load(
      writes.map(({ slot, key: name, header: known }, n) => ({
        ...{ key: name, slot },
        known: n % 2 === 0 ? known : null,
      })),
    );
    loaded.forEach((reply, n) => {
      if (n % 2 === 0) expect(reply).toBe('same');
      else expect(reply).toEqual(value(`body ${n}`, n + 1));
    });
    expect(await redis.ttl(key(3))).toBeGreaterThan(50);
    expect(await cache.load([])).toEqual([]);
  });

  test('lets one of several writers win, and tells the others', async () => {
    await cache.store([replace(1, null, 1, 'a')]);
    const outcomes = await cache.store([
      append(1, { expected: 1, version: 2 }, 'b'),
      append(1, { expected: 1, version: 2 }, 'c'),
      replace(1, null, 9, 'd'),
      replace(1, 2, 3, 'e'),
    ]);
    expect(outcomes).toEqual(['stored', 'lost', 'lost', 'stored']);
    expect(await load(1)).toEqual([value('e', 3)]);
  });

  test('appends bytes of any value', async () => {
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, n) => n));
    await cache.store([replace(2, null, 1, 'body')]);
    const write = { ...append(2, { expected: 1, version: 2, offset: 4 }, ''), bytes };
    expect(await cache.store([write])).toEqual(['stored']);
    expect(await load(2)).toEqual([value(Buffer.concat([Buffer.from('body'), bytes]), 2)]);
  });

  test('does not create what was expected to exist', async () => {
    expect(
      await cache.store([append(3, { expected: 1, version: 2 }, 'x'), replace(3, 1, 2, 'x')]),
    ).toEqual(['lost', 'lost']);
    expect(await load(3, header(1))).toEqual([null]);
  });

  test('leaves stubs when Redis is full, and takes them for current by their header', async () => {
    await cache.store([replace(4, null, 1, 'x'.repeat(1000)), replace(8, null, 1, 'y')]);
    await redis.config('SET', 'maxmemory', '1');
    const writes = [4, 8].map((n) => append(n, { expected: 1, version: 2 }, 'more'));
    expect(await cache.store(writes)).toEqual(['stub', 'stub']);
    await redis.config('SET', 'maxmemory', '0');
    const stub = `${header(2).slice(0, -1)}\0`;
    expect(await load(4)).toEqual([Buffer.from(stub, 'latin1')]);
    expect(await load(4, stub)).toEqual(['same']);
    expect(
      await cache.store([
        append(4, { expected: 1, version: 3 }, 'late'),
        append(4, { expected: 2, version: 3 }, 'sent on its heels'),
        { ...replace(4, null, 3, 'whole'), expected: stub },
      ]),
    ).toEqual(['lost', 'lost', 'stored']);
  });

  test('leaves stubs above its share of the memory, and stops when there is room again', async () => {
    const used = Number(/used_memory:(\d+)/.exec(await redis.info('memory'))?.[1]);
    await redis.config('SET', 'maxmemory', String(Math.round(used / 0.75)));
    await cache.refreshBudget();
    expect(await cache.store([replace(5, null, 1, 'body')])).toEqual(['stub']);
    await redis.config('SET', 'maxmemory', '0');
    await cache.refreshBudget();
    const stub = `${header(1).slice(0, -1)}\0`;
    const write = { ...replace(5, null, 2, 'body'), expected: stub };
    expect(await cache.store([write])).toEqual(['stored']);
  });

  test('is emptied once when the server is another run, and only of profiles', async () => {
    await cache.store([replace(7, null, 1, 'body')]);
    await redis.set('{m:US-EG:0}:transactions', 'stays');
    expect(
      await createProfileCache(options()).load([{ key: key(7), slot: 3, known: header(1) }]),
    ).toEqual(['same']);
    await redis.set('m:profiles-run', 'another');
    const caches = [createProfileCache(options()), createProfileCache(options())];
    const loads = caches.map((one) => one.load([{ key: key(7), slot: 3, known: header(1) }]));
    expect(await Promise.all(loads)).toEqual([[null], [null]]);
    expect(await redis.get('{m:US-EG:0}:transactions')).toBe('stays');
    expect(await redis.get('m:profiles-run')).toMatch(/^[0-9a-f]{40}$/);
  });

  test('does not write over a loss what was absent before it', async () => {
    expect(await load(9)).toEqual([null]);
    await redis.flushall();
    expect(await cache.store([replace(9, null, 1, 'from before')])).toEqual(['lost']);
    expect(await load(9)).toEqual([null]);
    expect(await cache.store([replace(9, null, 1, 'from after')])).toEqual(['stored']);
  });

  test('takes the bytes of a write before it returns', async () => {
    const bytes = Buffer.from('as it was');
    const stored = cache.store([{ ...replace(10, null, 1, ''), bytes }]);
    bytes.fill('x');
    expect(await stored).toEqual(['stored']);
    expect(await load(10)).toEqual([value('as it was', 1)]);
  });

  test('takes a value too short for a header for none', async () => {
    await redis.set(key(6), 'abc');
    expect(await load(6, header(1))).toEqual([null]);
    expect(await cache.store([replace(6, null, 1, 'body')])).toEqual(['stored']);
  });
});
