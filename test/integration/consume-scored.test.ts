/**
 * Goal: the documented consumer of `transaction.scored` loses nothing and handles nothing twice, wherever it is stopped, and
 * docs/events.md names the fields that the engine writes. Method: events of the engine's own script in a real Redis, and the
 * example as a process that is killed.
 */
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { type EndedEntry, settle } from '../../src/core/stream/settle/settle.ts';
import { toRow } from '../../src/core/work/decided.ts';
import { createTestDatabase } from '../support/database.ts';
import { deliver as deliverAll } from '../support/delivered.ts';
import { holdOpen } from '../support/hold-open.ts';
import { openForFile } from '../support/open-for-file.ts';
import { childEnvironment, REPOSITORY, type RiskProcess, watch } from '../support/risk.ts';
import { idAt } from '../support/stored-rows.ts';
import { readScored } from '../support/stream-entries.ts';
import { AT_MS, createStreamRig, marketIn, payload, stream } from '../support/stream-rig.ts';
import { waitUntil } from '../support/wait-until.ts';

const EXAMPLE = `${REPOSITORY}/docs/examples/consume-scored.ts`;
const DEADLINE_MS = 30_000;
const EVENTS = 25;
const ROWS_AN_EVENT = 4;
const VERDICTS = ['approve', 'review', 'decline'] as const;

const { redis, url, appendSingly, deliver } = createStreamRig();
const database = await openForFile(createTestDatabase());

/** Settles entries of one, so that each call publishes one event. */
async function publish(from: number, to: number): Promise<void> {
  const market = marketIn(redis());
  for (let first = from; first < to; first += ROWS_AN_EVENT) {
    const numbers = Array.from({ length: ROWS_AN_EVENT }, (_, n) => first + n);
    await appendSingly(numbers.map((n) => payload(n)));
    const ids = await deliver('worker', ROWS_AN_EVENT);
    const ended = ids.map((entryId, at) => endedEntry(entryId, numbers[at] ?? 0));
    const settlement = { stream, consumer: 'worker', ended, replaced: [], replies: [] };
    await settle(market, [settlement]);
  }
}

function endedEntry(entryId: string, n: number): EndedEntry {
  const [transaction] = deliverAll([
    { transactionId: idAt(AT_MS, n), createdAtMs: AT_MS, accountId: `acc_${n}`, merchantId: 'm_1' },
  ]);
  if (transaction === undefined) throw new Error('nothing was delivered');
  const reasons = [{ code: 'VELOCITY_COUNT_1H', detail: '', contribution: 0 }];
  const decision = { score: n, risk: n / 1000, verdict: VERDICTS[n % 3] ?? 'approve', reasons };
  return {
    ...{
      entryId,
      transactions: 1,
      scores: [{ count: 1, rows: toRow(transaction, decision) }],
      needsOwner: false,
    },
    ...{ scoredAtMs: AT_MS, retries: [], deadLetters: [] },
  };
}

const start = (name: string): RiskProcess =>
  watch(
    spawn(process.execPath, [EXAMPLE, name, url(), database.url, stream.scored], {
      cwd: REPOSITORY,
      env: childEnvironment({}),
    }),
  );

async function handled(): Promise<{ ids: number; counted: Record<string, number> }> {
  const [row] = await database.sql<{ ids: number }>(
    'select count(*)::int as ids from public.handled_scores',
  );
  const counts = await database.sql<{ verdict: string; transactions: number }>(
    'select verdict, transactions::int as transactions from public.verdict_counts',
  );
  const counted = Object.fromEntries(counts.map((one) => [one.verdict, one.transactions]));
  return { ids: row?.ids ?? 0, counted };
}

async function waiting(): Promise<number> {
  const [summary] = (await redis().xinfo('GROUPS', stream.scored)) as unknown[][];
  const field = (name: string) => Number(summary?.[summary.indexOf(name) + 1]);
  return field('pending') + field('lag');
}

const until = (what: string, isSo: () => Promise<boolean>) => waitUntil(isSo, DEADLINE_MS, what);
const kill = async (consumer: RiskProcess) => {
  consumer.kill('SIGKILL');
  await consumer.exited;
};

const HELD = `from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
const isOnHold = async () => (await database.sql(`select ${HELD}`)).length > 0;

/** Starts a consumer and waits until a lock holds its statement up. */
async function holdBatch(begin: () => RiskProcess) {
  const holder = database.open({ connectionsMax: 1 });
  const held = await holdOpen(holder, 'lock table public.verdict_counts in share mode');
  const consumer = begin();
  await until('the consumer to be within a batch', isOnHold);
  const release = async () => {
    await held.letGo();
    await holder[Symbol.asyncDispose]();
  };
  return { consumer, release };
}

test('a consumer that is killed within a batch, and after its commit, handles each score once', async () => {
  await publish(0, EVENTS * ROWS_AN_EVENT);
  // The engine may publish a score again, in another event.
  for (const [, fields] of await redis().xrange(stream.scored, '-', '+', 'COUNT', 9)) {
    await redis().xadd(stream.scored, '*', ...fields);
  }
  const total = EVENTS * ROWS_AN_EVENT;
  expect(new Set((await readScored(redis(), stream.scored)).map(([id]) => id)).size).toBe(total);

  // Within a batch: its statement waits for a lock.
  const tables = `create table public.handled_scores (transaction_id uuid primary key, handled_at timestamptz not null default now());
    create table public.verdict_counts (verdict text primary key, transactions bigint not null)`;
  await database.sql(tables);
  const first = await holdBatch(() => start('consumer-1'));
  await kill(first.consumer);
  // Postgres notices a client that is gone only when it answers: by then the statement has ended.
  await database.sql(`select pg_terminate_backend(pid) ${HELD}`);
  await until('the statement to end', async () => !(await isOnHold()));
  await first.release();
  expect([await waiting(), (await handled()).ids]).toEqual([EVENTS + 9, 0]);

  // After a commit: Redis takes no writes, so the acknowledgement waits.
  const second = await holdBatch(() => start('consumer-1'));
  await redis().call('CLIENT', 'PAUSE', String(20 * DEADLINE_MS), 'WRITE');
  await second.release();
  await until('the commit', async () => (await handled()).ids > 0);
  await kill(second.consumer);
  // An acknowledgement that waits in Redis would be carried out as the pause ends.
  const clients = async () => String(await redis().client('LIST'));
  await until('Redis to notice', async () => !(await clients()).includes(' cmd=xack '));
  await redis().call('CLIENT', 'UNPAUSE');
  expect(await waiting()).toBe(EVENTS + 9);

  await using last = start('consumer-1');
  await until('all events', async () => (await waiting()) === 0);
  const expected = { approve: 34, review: 33, decline: 33 };
  expect(await handled()).toEqual({ ids: total, counted: expected });
  await publish(total, total + ROWS_AN_EVENT);
  await until('what came later', async () => (await handled()).ids === total + ROWS_AN_EVENT);
  last.kill('SIGTERM');
  expect(await last.exited).toEqual({ code: 0, signal: null });
});

test('an event has the fields that the document names, in their order', async () => {
  await publish(0, ROWS_AN_EVENT);
  const [event] = await redis().xrange(stream.scored, '-', '+');
  const [, fields = []] = event ?? [];
  const text = await readFile(`${REPOSITORY}/docs/events.md`, 'utf8');
  const section = (title: string) => text.split(`## ${title}\n`)[1]?.split('\n## ')[0] ?? '';
  const named = [...section('Fields of an event').matchAll(/^\| `(\w+)` \|/gm)].map(
    ([, name]) => name,
  );
  // The last one belongs to events of a frozen corridor alone.
  expect([...fields.filter((_, at) => at % 2 === 0), 'releases_held']).toEqual(named);
  expect(fields.slice(0, 8)).toEqual([
    'v',
    '2',
    'n',
    '4',
    'corridor',
    'US-EG',
    'scored_at',
    '2026-11-01T00:00:00.000Z',
  ]);
  const elements = [...section('Fields of a row').matchAll(/^\| (\d) \| `(\w+)` \|/gm)];
  const [row] = await readScored(redis(), stream.scored);
  expect(elements.map(([, place]) => Number(place))).toEqual([...(row ?? []).keys()]);
  expect(elements.map(([, , name]) => name)).toEqual([
    'transaction_id',
    'account_id',
    'merchant_id',
    'score',
    'risk',
    'verdict',
    'reasons',
  ]);
  expect(row).toEqual([idAt(AT_MS, 0), 'acc_0', 'm_1', 0, 0, 'approve', ['VELOCITY_COUNT_1H']]);
});
