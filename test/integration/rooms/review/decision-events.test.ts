/**
 * Goal: each final decision is an event, once while Redis keeps what it has, and again after Redis has lost it. Method: the
 * events of a real Redis against the rows of a real Postgres.
 */
import { afterAll, beforeEach, expect, test } from 'vitest';
import type { Stop } from '../../../../src/core/domain/switch.ts';
import { decisionsKey } from '../../../../src/core/stream/keys.ts';
import type { Query } from '../../../../src/kit/database/pool.ts';
import { openCommands } from '../../../../src/kit/redis/connection.ts';
import { publishDecisions } from '../../../../src/rooms/review/change/publish-decisions.ts';
import { createTestDatabase } from '../../../support/database.ts';
import { openForFile } from '../../../support/open-for-file.ts';
import { storeDecisions } from '../../../support/rooms/review/final-decisions.ts';
import { startTestRedis } from '../../../support/services.ts';
import { waitUntil } from '../../../support/wait-until.ts';

const { signal } = new AbortController();

const testDatabase = await openForFile(createTestDatabase());
const database = await openForFile(testDatabase.open());
const service = await openForFile(startTestRedis());
const redis = openCommands(service.url, 5000);
await waitUntil(() => redis.status === 'ready', 5000, 'redis');
afterAll(() => redis.disconnect());

const FREEZE: Stop = {
  reason: 'a test',
  message: null,
  stoppedBy: 'Ann',
  stoppedAt: '2026-11-25T09:30:00.000Z',
  endsAt: null,
};
beforeEach(async () => {
  await redis.flushall();
  await testDatabase.sql('delete from final_decisions');
});

const stopped = new Map<string, Stop>();
const switches = {
  current: () => ({
    version: 0,
    stopped,
    settings: new Map(),
    elsewhere: new Map(),
    fields: new Map(),
  }),
};
const publish = (query: Query = database.query) =>
  publishDecisions({ query, redis, switches }, 'market_0', signal);
async function events() {
  const entries = await redis.xrange(decisionsKey('market_0'), '-', '+');
  return entries.map(([id, fields]) => {
    const at = fields.indexOf('decision');
    return { id, transaction: JSON.parse(fields[at + 1] ?? '{}').transaction_id, fields };
  });
}

test('an event has the id of its decision, and what the API answers', async () => {
  const [id] = await storeDecisions(testDatabase, 1);
  expect(await publish()).toBe(1);
  const [event] = await events();
  expect(event).toMatchObject({ id: '1-0', transaction: id });
  expect(event?.fields.slice(0, 4)).toEqual(['v', '1', 'corridor', 'US-EG']);
  expect(JSON.parse(event?.fields[5] ?? '')).toMatchObject({
    ...{ decision_id: '1', disposition: 'fraud', decided_by: 'Ann', priority: 'P4', score: 600 },
  });
});

test('a decision of a frozen corridor says that no value may be released', async () => {
  stopped.set('freeze:corridor:US-EG', FREEZE);
  await storeDecisions(testDatabase, 1);
  await publish();
  stopped.clear();
  await storeDecisions(testDatabase, 1);
  await publish();
  const told = (await events()).map(({ fields }) => JSON.parse(fields[5] ?? '').releases_held);
  expect(told).toEqual([true, undefined]);
});

test('a decision is published once, whoever publishes and however often', async () => {
  const ids = await storeDecisions(testDatabase, 1200);
  await Promise.all([publish(), publish(), publish()]);
  expect(await publish()).toBe(0);
  expect((await events()).map(({ transaction }) => transaction)).toEqual(ids);
});

test('what Redis has lost is published again: all of it, or the newest alone', async () => {
  const ids = await storeDecisions(testDatabase, 20);
  await publish();
  await redis.flushall();
  ids.push(...(await storeDecisions(testDatabase, 5)));
  expect(await publish()).toBe(25);
  // A promoted replica has not received the last events: its newest id is an older one.
  const key = decisionsKey('market_0');
  const kept = (await events()).slice(0, 22);
  await redis.del(key);
  for (const { id, fields } of kept) await redis.xadd(key, id, ...fields);
  expect(await publish()).toBe(3);
  expect((await events()).map(({ transaction }) => transaction)).toEqual(ids);
});

test('what Redis loses while decisions are published is published again', async () => {
  const ids = await storeDecisions(testDatabase, 3);
  await publish();
  ids.push(...(await storeDecisions(testDatabase, 2)));
  // After the newest event was read.
  const losing: Query = async (statement, values) => {
    await redis.flushall();
    return await database.query(statement, values);
  };
  expect(await publish(losing)).toBe(0);
  expect(await publish()).toBe(5);
  expect((await events()).map(({ transaction }) => transaction)).toEqual(ids);
});

test('a stream whose newest event was deleted goes on, and refuses none for ever', async () => {
  await storeDecisions(testDatabase, 2);
  await publish();
  await redis.xdel(decisionsKey('market_0'), '2-0');
  await storeDecisions(testDatabase, 1);
  expect(await publish()).toBe(1);
  expect((await events()).map(({ id }) => id)).toEqual(['1-0', '3-0']);
});

test('an empty stream gets the decisions of the last seven days', async () => {
  await storeDecisions(testDatabase, 3);
  await testDatabase.sql(
    'alter table final_decisions disable trigger final_decisions_never_change',
  );
  await testDatabase.sql(
    `update final_decisions set final_at = now() - interval '8 days' where decision_id < 3`,
  );
  expect(await publish()).toBe(1);
  await redis.flushall();
  await testDatabase.sql(`update final_decisions set final_at = now() - interval '8 days'`);
  expect(await publish()).toBe(0);
  await testDatabase.sql('alter table final_decisions enable trigger final_decisions_never_change');
});
