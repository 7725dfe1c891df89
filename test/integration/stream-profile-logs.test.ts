/**
 * Goal: every append returns all that was appended since the caller's position, and never takes a caller for
 * one with a log that is gone; a Redis without room has no log with a gap. Method: real Redis, blocks made by
 * hand.
 */
import { afterAll, beforeEach, expect, test } from 'vitest';
import { boundProfiles } from '../../src/core/stream/memory/bound-profiles.ts';
import type { MarketInRedis } from '../../src/core/stream/memory/memory.ts';
import {
  appendProfiles,
  type KnownEnd,
  type LogAppend,
} from '../../src/core/stream/profiles/profile-logs.ts';
import { openCommands, untilReady } from '../../src/kit/redis/connection.ts';
import { openForFile } from '../support/open-for-file.ts';
import { copyNow, takeOver } from '../support/replica.ts';
import { startTestRedis } from '../support/services.ts';
import { marketIn } from '../support/stream-rig.ts';
import { waitUntil } from '../support/wait-until.ts';

let market: MarketInRedis;
const TTL_SECONDS = 60;
const service = await openForFile(
  startTestRedis({ settings: { 'repl-diskless-sync-delay': '0' } }),
);
const redis = openCommands(service.url, 2000);
await waitUntil(() => redis.status === 'ready', 5000, 'redis');
afterAll(() => redis.disconnect());

beforeEach(async () => {
  await redis.config('SET', 'maxmemory', '0');
  await redis.flushall();
  market = marketIn(redis);
});

let stamps = 0;
/** Contents, and a stamp of their own. */
function block(contents: string): Buffer {
  const bytes = Buffer.from(`${contents}--------`);
  bytes.writeUInt32LE(++stamps, bytes.length - 8);
  return bytes;
}
const endOf = (length: number, last: Buffer): KnownEnd => ({
  length,
  high: last.readUInt32LE(last.length - 8),
  low: last.readUInt32LE(last.length - 4),
});
const key = (n: number) => `{m:p0${n % 4}}:account:${n}`;
function append(n: number, known: KnownEnd | null, bytes: Uint8Array): LogAppend {
  return { key: key(n), slot: n % 4, known, block: bytes, isToRenew: false };
}
const NOTHING = Buffer.alloc(0);

test('logs of profiles have no spare memory in a crowded Redis, and live as long as before', async () => {
  market.memory.isCrowded = true;
  const begun = block('x'.repeat(4000));
  await appendProfiles(market, TTL_SECONDS, [append(1, null, begun)]);
  await redis.expire(key(1), 1000);
  let end = endOf(begun.length, begun);
  for (let n = 0; n < 8; n++) {
    const more = block('x'.repeat(64));
    const [reply] = await appendProfiles(market, TTL_SECONDS, [append(1, end, more)]);
    expect(reply?.lacks).toBe('nothing');
    end = endOf(end.length + more.length, more);
    const spare = Number(await redis.memory('USAGE', key(1))) - end.length;
    expect(spare).toBeLessThan(90 + end.length / 4);
  }
  expect(await redis.ttl(key(1))).toBeGreaterThan(TTL_SECONDS);
});

test('logs of profiles begin in a scarce Redis once their party was refused a log twice; a known log is begun again at once', async () => {
  market.memory.isScarce = true;
  const tries: (boolean | undefined)[] = [];
  for (let n = 0; n < 3; n++) {
    const [seldom, known] = await appendProfiles(market, TTL_SECONDS, [
      append(1, null, block('seldom')),
      append(2 + n, endOf(9, block('x')), block('known')),
    ]);
    expect(known?.isStored).toBe(true);
    tries.push(seldom?.isStored);
  }
  expect(tries).toEqual([false, false, true]);
  const [other] = await appendProfiles(market, TTL_SECONDS, [append(6, null, block('other'))]);
  expect(other?.isStored).toBe(false);
});

test('refusals are counted up to twice a party, and begin anew once there are many', async () => {
  market.memory.isScarce = true;
  const isBegun = async () => {
    const asked = [append(1, null, block('seldom'))];
    const [reply] = await appendProfiles(market, TTL_SECONDS, asked);
    return reply?.isStored;
  };
  market.memory.profileBytes = 0;
  for (let n = 0; n < 258; n++) expect(await isBegun()).toBe(false);
  expect(market.memory.refused).toBe(2);
  market.memory.profileBytes = Number.POSITIVE_INFINITY;
  expect(await isBegun()).toBe(true);
  await redis.del(key(1));
  market.memory.refused = 131_072;
  const [other] = await appendProfiles(market, TTL_SECONDS, [append(2, null, block('other'))]);
  expect([other?.isStored, market.memory.refused]).toEqual([false, 1]);
  expect(await isBegun()).toBe(false);
});

test('logs of profiles live on while they are renewed, placeholders do not', async () => {
  const first = block('first');
  await appendProfiles(market, TTL_SECONDS, [append(3, null, first)]);
  await appendProfiles(market, TTL_SECONDS, [
    { ...append(3, null, block('second')), isToRenew: true },
  ]);
  expect(await redis.ttl(key(3))).toSatisfy((seconds) => seconds > 0 && seconds <= 10);
  const renewing = { ...append(3, endOf(first.length, first), block('third')), isToRenew: true };
  await appendProfiles(market, TTL_SECONDS, [renewing]);
  expect(await redis.ttl(key(3))).toBeGreaterThan(50);
});

test('logs of profiles come in as many replies as it takes, each bounded', async () => {
  const wholes = [4, 5, 6].map(() => block('x'.repeat(600)));
  await appendProfiles(
    market,
    TTL_SECONDS,
    wholes.map((bytes, index) => append(4 + index, null, bytes)),
  );
  const more = block('more');
  const asked = [4, 5, 6].map((n) => append(n, null, more));
  const replies = await appendProfiles(market, TTL_SECONDS, asked, 1000);
  expect(replies.map(({ lacks }) => lacks)).toEqual(['whole', 'later', 'later']);
  // Logs whose reply is `later` are unchanged.
  expect(await redis.strlen(key(5))).toBe(wholes[1]?.length);
  expect(await redis.strlen(key(4))).toBe((wholes[0]?.length ?? 0) + more.length);
});

test('logs of profiles are dropped where Redis has no room for a block, and their past is told once more', async () => {
  const firsts = [7, 8].map(() => block('x'.repeat(1000)));
  await appendProfiles(
    market,
    TTL_SECONDS,
    firsts.map((bytes, index) => append(7 + index, null, bytes)),
  );
  await redis.config('SET', 'maxmemory', '1');
  const known = firsts.map((bytes) => endOf(bytes.length, bytes));
  const replies = await appendProfiles(market, TTL_SECONDS, [
    append(7, known[0] ?? null, block('lost')),
    append(8, null, block('lost')),
    append(9, null, block('lost')),
  ]);
  expect(replies.map(({ lacks, isStored }) => [lacks, isStored])).toEqual([
    ['nothing', false],
    ['whole', false],
    ['absent', false],
  ]);
  expect(await redis.exists(key(7), key(8), key(9))).toBe(0);
});

test('logs of profiles give way above their share of the memory, the idle ones first, and none are begun', async () => {
  const firsts = Array.from({ length: 2000 }, (_, n) => block(`${n} ${'x'.repeat(1000)}`));
  await appendProfiles(
    market,
    TTL_SECONDS,
    firsts.map((bytes, n) => append(n, null, bytes)),
  );
  await redis.set('{m:US-EG:0}:transactions', 'stays');
  const memory = async (field: string) =>
    Number(new RegExp(`${field}:(\\d+)`).exec(await redis.info('memory'))?.[1]);
  // Redis takes back a client's buffers of this append only some time later: 2 MB of some 6 MB that are used.
  const areBuffersGone = async () => (await memory('mem_clients_normal')) < 200_000;
  await waitUntil(areBuffersGone, 10_000, 'buffers of the append');
  await redis.config('SET', 'maxmemory', String(Math.round((await memory('used_memory')) / 0.75)));
  expect(await boundProfiles(market)).toBeGreaterThan(0);
  expect(await redis.exists('{m:US-EG:0}:transactions')).toBe(1);
  const left = (await redis.keys('{m:p0?}:account:*')).length;
  expect(left).toBeLessThan(2000);
  expect(await boundProfiles(market)).toBe(0);
  // A Redis that is above the share of logs without any log begins no log.
  await redis.config('SET', 'maxmemory', '1000');
  await boundProfiles(market);
  await redis.config('SET', 'maxmemory', '0');
  const [crowded] = await appendProfiles(market, TTL_SECONDS, [append(3000, null, block('new'))]);
  expect(crowded).toMatchObject({ lacks: 'absent', isStored: false });
  await boundProfiles(market);
  const [roomy] = await appendProfiles(market, TTL_SECONDS, [append(3000, null, block('new'))]);
  expect(roomy).toMatchObject({ lacks: 'absent', isStored: true });
});

test('logs of profiles of a replica that lacks the last appends are not used once it is promoted', async () => {
  await using second = await startTestRedis({ settings: { 'repl-diskless-sync-delay': '0' } });
  const replica = openCommands(second.url, 5000);
  await untilReady(replica, 5000);
  const [first, lacking] = [block('first'), block('lacking')];
  await appendProfiles(market, TTL_SECONDS, [append(7, null, first), append(8, null, first)]);
  // A log that has a snapshot lives on without an expiry.
  for (const n of [7, 8]) await redis.persist(key(n));
  await copyNow(replica, service);
  await appendProfiles(market, TTL_SECONDS, [append(7, endOf(first.length, first), lacking)]);
  await redis.set('{m:US-EG:0}:transactions', 'gone with the master');
  await replica.set('{m:US-EG:0}:transactions', 'stays');
  await takeOver(redis, second);
  replica.disconnect();
  expect(await redis.getBuffer(key(7))).toEqual(first);
  const both = [market, marketIn(redis)];
  const asked = [append(7, null, NOTHING), append(8, endOf(first.length, first), NOTHING)];
  const replies = () => Promise.all(both.map((one) => appendProfiles(one, TTL_SECONDS, asked)));
  await waitUntil(
    async () => (await replies()).flat().every(({ lacks }) => lacks === 'absent'),
    30_000,
    'the logs to be gone',
  );
  expect(await redis.get('{m:US-EG:0}:transactions')).toBe('stays');
  await appendProfiles(market, TTL_SECONDS, [append(7, null, lacking)]);
  const [again] = await appendProfiles(marketIn(redis), TTL_SECONDS, [append(7, null, NOTHING)]);
  expect(again).toMatchObject({ lacks: 'whole', bytes: lacking });
});

test('logs of profiles are absent, and begun by nobody, where a full Redis cannot say whose they are', async () => {
  await appendProfiles(market, TTL_SECONDS, [append(9, null, block('first'))]);
  await redis.set('{m:p01}:history', 'another');
  await redis.config('SET', 'maxmemory', '1');
  const [later] = await appendProfiles(market, TTL_SECONDS, [append(9, null, block('second'))]);
  expect(later).toMatchObject({ lacks: 'absent', isStored: false });
  expect(await redis.exists(key(9))).toBe(0);
});
