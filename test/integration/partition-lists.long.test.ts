/**
 * Goal: a session that lost the notice of a month reads its rows again within seconds. Method: months are attached in pairs
 * beside sessions that plan all the time, until PostgreSQL loses a notice; then the duty of months runs.
 */
import pg from 'pg';
import { afterAll, expect, test } from 'vitest';
import { marketUrl } from '../../bench/support/market.ts';
import { bindPartitions } from '../../src/core/repair/partition-duty.ts';
import { partitionName } from '../../src/core/store/partitions/partitions.ts';
import { createLeadership } from '../../src/kit/duties/leadership.ts';
import { monthStartMs, parseMonth } from '../../src/kit/words/month.ts';
import { createTestDatabase } from '../support/database.ts';

/** A session in some 700 lost the notice at each pair of attaches: 14 sessions in 90 s on two cores. */
const SESSIONS = 14;
const SEARCH_MS = 300_000;

const testDatabase = await createTestDatabase();
afterAll(() => testDatabase[Symbol.asyncDispose]());

async function connect(stack: AsyncDisposableStack): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: marketUrl(testDatabase.url) });
  await client.connect();
  stack.defer(() => client.end());
  return client;
}

async function attach(client: pg.Client, month: number): Promise<void> {
  const name = partitionName('transactions', month);
  const [from, to] = [month, month + 1].map((each) => new Date(monthStartMs(each)).toISOString());
  await client.query(
    `create table ${name} (like transactions including defaults including constraints)`,
  );
  await client.query(
    `alter table transactions attach partition ${name} for values from ('${from}') to ('${to}')`,
  );
}

/** Partitions that a plan of the session scans. */
async function planned(client: pg.Client): Promise<number> {
  const { rows } = await client.query('explain select from transactions');
  return rows.filter((row) => / on transactions_y/.test(row['QUERY PLAN'])).length;
}

test('a session that lost a notice is healed by the duty of months', {
  timeout: 2 * SEARCH_MS,
}, async () => {
  await using stack = new AsyncDisposableStack();
  await using pool = testDatabase.open();
  await using leadership = createLeadership(pool, 'test');
  // Months that the duty makes would be a notice.
  await bindPartitions(leadership).run(new AbortController().signal);
  const sessions = await Promise.all(Array.from({ length: SESSIONS }, () => connect(stack)));
  const [one, other] = await Promise.all([connect(stack), connect(stack)]);
  const until = Date.now() + SEARCH_MS;
  const isBehind = async () => {
    const { rows } = await one.query(
      `select count(*)::int as attached from pg_inherits where inhparent = 'transactions'::regclass`,
    );
    const seen = await Promise.all(sessions.map(planned));
    return seen.map((count) => count !== rows[0].attached);
  };
  const searching = new AbortController();
  const busy = sessions.map(async (session) => {
    while (!searching.signal.aborted) await session.query('select count(*) from transactions');
  });
  let month = parseMonth('1900-01') ?? Number.NaN;
  let behind: boolean[] = [];
  while (!behind.includes(true) && Date.now() < until) {
    await Promise.all([attach(one, month), attach(other, month + 1)]);
    month += 2;
    behind = await isBehind();
  }
  searching.abort();
  await Promise.all(busy);
  expect(behind).toContain(true);
  expect(await isBehind()).toEqual(behind);

  const duty = bindPartitions(leadership);
  const { signal } = new AbortController();
  await duty.run(signal);
  await duty.run(signal);
  expect(await isBehind()).not.toContain(true);
  for (const session of [...sessions, one, other]) await session.end();
});
