/**
 * Goal: the sources of the review find near deadlines, overflow rules that are met, and final decisions in their order. Method:
 * cases and decisions as workers store them, in a real Postgres.
 */
import { beforeEach, expect, test } from 'vitest';
import type { DecisionLog, WatchedEvents } from '../../../../src/core/events.ts';
import { events } from '../../../../src/rooms/review/events.ts';
import { createTestDatabase } from '../../../support/database.ts';
import { openForFile } from '../../../support/open-for-file.ts';
import { openCasesOf } from '../../../support/rooms/review/cases.ts';
import { storeDecisions } from '../../../support/rooms/review/final-decisions.ts';
import { bodyOf, faultsOf } from '../../../support/rooms/webhooks/documented-event.ts';

const NOW = Date.UTC(2026, 10, 20, 12);

const testDatabase = await openForFile(createTestDatabase());
const database = await openForFile(testDatabase.open());

beforeEach(async () => {
  await testDatabase.sql('truncate transactions, scores, review_intake, review_cases cascade');
  await testDatabase.sql('delete from final_decisions');
});

const find = async (type: WatchedEvents['type'], nowMs: number) => {
  const source = events.find((one): one is WatchedEvents => one.type === type);
  return (await source?.find(database.query, nowMs)) ?? [];
};

test('a deadline that is near, or was missed, is an event; one that was met is none', async () => {
  const [near = '', missed = '', , longMissed = '', closed = ''] = await openCasesOf(
    testDatabase,
    database,
    [{}, {}, {}, {}, {}],
  );
  const due = (transactionId: string, minutes: number) =>
    testDatabase.sql(
      `update review_cases set due_at = now() + $2 * interval '1 minute' where transaction_id = $1`,
      [transactionId, minutes],
    );
  await due(near, 29);
  await due(missed, -30);
  await due(longMissed, -25 * 60);
  await due(closed, 5);
  await testDatabase.sql(
    `update review_cases set state = 'closed', disposition = 'fraud', decision_reason = 'x', decided_by = 'Ann', final_at = now(),
            closed_at = now() where transaction_id = $1`,
    [closed],
  );
  const found = await find('review.deadline_near', NOW);
  expect(found.map(({ id }) => id.split('_')[1])).toEqual([missed, near]);
  expect(await find('review.deadline_near', NOW)).toMatchObject(found.map(({ id }) => ({ id })));
  expect(found.map((one) => faultsOf(bodyOf(one)))).toEqual([[], []]);
  const [first] = found;
  expect(first?.corridor).toBe('US-EG');
  expect(Object.keys(first?.data ?? {})).toEqual([
    'transaction_id',
    'priority',
    'due_at',
    'opened_at',
    'state',
    'assignee',
    'locked_by',
    'account_id',
    'merchant_id',
    'corridor',
    'score',
    'verdict',
  ]);
  expect(first?.data).toMatchObject({ priority: 'P4', state: 'open', locked_by: null, score: 600 });
  // A dispute gives a case a new deadline.
  await due(near, 10);
  const again = await find('review.deadline_near', NOW);
  expect(again.filter(({ id }) => found.every((one) => one.id !== id))).toHaveLength(1);
});

test('final decisions come in the order of their commits, and tell a client nothing of who decided', async () => {
  const ids = await storeDecisions(testDatabase, 3);
  const log = events.find((one): one is DecisionLog => one.kind === 'decisions');
  const page = (await log?.listAfter(database.query, '0', 2)) ?? [];
  expect(page.map(({ position, transactionId }) => ({ position, transactionId }))).toEqual([
    { position: '1', transactionId: ids[0] },
    { position: '2', transactionId: ids[1] },
  ]);
  expect(await log?.listAfter(database.query, '2', 2)).toMatchObject([{ position: '3' }]);
  const [{ json = '', clientJson = '' } = {}] = page;
  for (const text of [json, clientJson]) {
    const data = { decisions: [JSON.parse(text)] };
    const type = 'transaction.final_decision';
    expect(faultsOf({ type, timestamp: new Date(NOW).toISOString(), data })).toEqual([]);
  }
  expect(JSON.parse(json)).toMatchObject({ decision_id: '1', decided_by: 'Ann', reason: 'seen' });
  expect(Object.keys(JSON.parse(clientJson))).toEqual([
    'decision_id',
    'transaction_id',
    'created_at',
    'account_id',
    'merchant_id',
    'corridor',
    'score',
    'verdict',
    'disposition',
    'final_at',
  ]);
});
