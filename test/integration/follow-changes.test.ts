/**
 * Goal: a process asks one statement for all that it follows, reads what changed, and misses no change. Method: subjects on a real
 * database, whose changes are committed late, while another subject is read, behind a lock, and while Postgres refuses.
 */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { CONTROLS_MARK } from '../../src/core/store/controls/controls.ts';
import { type Changes, followChanges } from '../../src/kit/database/follow-changes.ts';
import type { Database, Query } from '../../src/kit/database/pool.ts';
import { LISTS_MARK } from '../../src/rooms/lists/memory/read-entries.ts';
import { silentLog } from '../support/config.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { waitUntil } from '../support/wait-until.ts';

let testDatabase: TestDatabase;
let database: Database;
let changes: Changes;
/** Statements that the follower has sent. */
let asked = 0;
let isDown = false;
beforeEach(async () => {
  testDatabase = await createTestDatabase();
  database = testDatabase.open();
  [asked, isDown] = [0, false];
  const query: Query = async (...call) => {
    asked += 1;
    if (isDown) throw new Error('down');
    return await database.query(...call);
  };
  changes = followChanges({ query, transaction: database.transaction }, silentLog());
  await testDatabase.sql('create table said (subject text primary key, word text)');
  await testDatabase.sql("insert into said values ('a', 'one'), ('b', 'one')");
});
afterEach(async () => {
  changes[Symbol.dispose]();
  await database[Symbol.asyncDispose]();
  await testDatabase[Symbol.asyncDispose]();
});

const say = (subject: string, word: string) =>
  testDatabase.sql('update said set word = $2 where subject = $1', [subject, word]);
const markOf = (name: string) => `(select word from market.said where subject = '${name}')`;

test('one statement serves all subjects, and what did not change is not read again', async () => {
  const loads: string[] = [];
  for (const name of ['a', 'b'])
    changes.follow({ name, mark: markOf(name), load: async () => void loads.push(name) });
  await waitUntil(() => loads.length === 2, 2000, 'the first readings');
  const [before, startedMs] = [asked, performance.now()];
  await say('b', 'two');
  await waitUntil(() => loads.length > 2, 2000, 'the change');
  await waitUntil(() => asked >= before + 3, 4000, 'more polls');
  expect(loads.toSorted()).toEqual(['a', 'b', 'b']);
  expect(asked - before).toBeLessThanOrEqual(1 + (performance.now() - startedMs) / 450);
});

test('a subject that is long in reading delays no other one, and is read again where it fails', async () => {
  const { promise, reject } = Promise.withResolvers<void>();
  let [slow, fast] = [0, 0];
  changes.follow({
    name: 'a',
    mark: markOf('a'),
    load: () => (slow++ === 0 ? promise : Promise.resolve()),
  });
  changes.follow({ name: 'b', mark: markOf('b'), load: async () => void fast++ });
  await waitUntil(() => slow === 1 && fast === 1, 2000, 'the first readings');
  await say('b', 'two');
  await waitUntil(() => fast === 2, 2000, 'the change of the other one');
  expect(slow).toBe(1);
  reject(new Error('not yet'));
  await waitUntil(() => slow === 2, 2000, 'another reading');
});

test('a mark that a lock holds up delays its own subject alone, and is read once the lock is gone', async () => {
  await testDatabase.sql('create table held (word text)');
  // As a process has it: one connection.
  await using probe = testDatabase.open({ connectionsMax: 1, statementTimeoutMs: 2000 });
  using own = followChanges(probe, silentLog());
  let [held, free] = [0, 0];
  const mark = '(select max(word) from market.held)';
  own.follow({ name: 'held', mark, load: async () => void held++ });
  const { ageMs } = own.follow({ name: 'b', mark: markOf('b'), load: async () => void free++ });
  await waitUntil(() => held === 1 && free === 1, 2000, 'the first readings');
  await database.transaction(async (query) => {
    await query({ text: 'lock table market.held in access exclusive mode' });
    for (const word of ['two', 'three']) {
      const before = free;
      await say('b', word);
      await waitUntil(() => free > before, 2000, 'the change of the other one');
      await waitUntil(() => ageMs() < 1500, 2000, 'a new reading of the other one');
    }
    await query({ text: "insert into market.held values ('one')" });
  });
  await waitUntil(() => held === 2, 2000, 'the change behind the lock');
});

test('an age counts from the last statement that was answered', async () => {
  const { refresh, ageMs } = changes.follow({
    name: 'a',
    mark: markOf('a'),
    load: async () => undefined,
  });
  expect(ageMs()).toBe(Number.POSITIVE_INFINITY);
  await refresh();
  isDown = true;
  await waitUntil(() => ageMs() > 1500, 3000, 'an old reading');
  await expect(refresh()).rejects.toThrow('down');
  isDown = false;
  await waitUntil(() => ageMs() < 500, 2000, 'a new reading');
});

test('a change that was begun first and committed last counts', async () => {
  let loads = 0;
  const load = async () => void loads++;
  const lists = changes.follow({ name: 'lists', mark: LISTS_MARK, load });
  const controls = changes.follow({ name: 'controls', mark: CONTROLS_MARK, load });
  const refresh = () => Promise.all([lists.refresh(), controls.refresh()]);
  const add = (query: Query, name: string) =>
    Promise.all([
      query({
        text: `insert into market.lists (name, effect, kind, description, created_by) values ('${name}', 'block', 'account', 'a list', 'Ann')`,
      }),
      query({
        text: `insert into market.controls (kind, scope, set_by, reason, version) values ('stop', 'client:${name}', 'Ann', 'why', 1)`,
      }),
    ]);
  await refresh();
  await database.transaction(async (early) => {
    await add(early, 'early');
    await database.transaction((late) => add(late, 'late'));
    await refresh();
    expect(loads).toBe(4);
  });
  await refresh();
  expect(loads).toBe(6);
});
