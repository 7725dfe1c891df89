/**
 * Goal: a transaction that people have to look at gets one case, whatever is delivered again or stops in between, and no
 * other transaction gets one; near deadlines and final decisions are events. Method: scores and labels are stored as workers and
 * the API do, and a worker makes the cases.
 */
import { beforeEach, expect, test } from 'vitest';
import type { Verdict } from '../../../../src/core/domain/score-record.ts';
import type { EventSource } from '../../../../src/core/events.ts';
import { events } from '../../../../src/rooms/review/events.ts';
import { toEvent } from '../../../../src/rooms/review/final-decision.ts';
import { listDecisions } from '../../../../src/rooms/review/store/decisions.ts';
import { addDisputes, addReviewed } from '../../../../src/rooms/review/store/reviewed.ts';
import { createTestDatabase } from '../../../support/database.ts';
import { insertVerdicts } from '../../../support/delivered.ts';
import { openForFile } from '../../../support/open-for-file.ts';
import { insertPersonKey } from '../../../support/people.ts';
import { openCasesOf, raiseCases } from '../../../support/rooms/review/cases.ts';
import { storeDecisions } from '../../../support/rooms/review/final-decisions.ts';
import { reviewingOn } from '../../../support/rooms/review/rig.ts';
import { bodyOf, faultsOf } from '../../../support/rooms/webhooks/documented-event.ts';
import { idAt, storeTransactions, type TransactionSeed } from '../../../support/stored-rows.ts';
import { waitUntil } from '../../../support/wait-until.ts';
import { createWorkerRig } from '../../../support/worker-rig.ts';

const NOW = Date.UTC(2026, 10, 20, 12);

const testDatabase = await openForFile(createTestDatabase());
const database = await openForFile(testDatabase.open());

beforeEach(async () => {
  await testDatabase.sql('truncate transactions, scores, outbox_review, review_cases cascade');
  await testDatabase.sql('delete from final_decisions');
});

let made = 0;
async function store(seeds: readonly Partial<TransactionSeed>[]): Promise<string[]> {
  return await storeTransactions(
    database,
    seeds.map((seed) => ({ createdAtMs: NOW + made++, ...seed })),
  );
}

const score = (ids: readonly string[], verdict: Verdict) =>
  insertVerdicts(database, ids, verdict, NOW, [addReviewed({ ratio: 0 })]);

type CaseRow = Record<
  'id' | 'source' | 'priority' | 'state' | 'amount' | 'currency' | 'rate_day',
  string | null
>;
const cases = async () =>
  await testDatabase.sql<CaseRow>(
    `select transaction_id as id, source, 'P' || priority as priority, state, market_amount::text as amount, market_currency as currency,
            rate_day::text from review_cases order by transaction_id`,
  );
const dispute = (transactionId: string, source = 'bank') =>
  database.transaction((query) => addDisputes(query, [{ transactionId, source }]));

test('a score that asks for review makes one case, with the score, and others make none', async () => {
  const [one = '', two = '', three = ''] = await store([
    { amount: '10.00' },
    { amount: '1000.01' },
    {},
  ]);
  await score([one, two], 'review');
  await score([three], 'approve');
  await raiseCases(database);
  const open = { source: 'verdict', state: 'open', currency: 'USD', rate_day: null };
  expect(await cases()).toEqual([
    { id: one, ...open, priority: 'P4', amount: '10.00' },
    { id: two, ...open, priority: 'P1', amount: '1000.01' },
  ]);
});

test('a redelivery of all or some of a batch names nothing twice, and makes no second case', async () => {
  const ids = await store([{}, {}, {}]);
  await score(ids.slice(0, 2), 'review');
  await score(ids.slice(0, 2), 'review');
  await score(ids, 'review');
  const named = await testDatabase.sql<{ ids: string[] }>(
    'select transaction_ids::text[] as ids from outbox_review',
  );
  expect(named.flatMap((row) => row.ids).sort()).toEqual(ids);
  await raiseCases(database);
  await score(ids, 'review');
  // A row that a person put back in by hand changes nothing either.
  await testDatabase.sql(
    `insert into outbox_review (source, transaction_ids) values ('score', $1)`,
    [ids],
  );
  await testDatabase.sql(`update review_cases set locked_by = 'Ann', locked_until = now()`);
  expect(await raiseCases(database)).toEqual([]);
  const locked = await testDatabase.sql(`select from review_cases where locked_by = 'Ann'`);
  expect(locked).toHaveLength(3);
});

test('a dispute makes a case urgent, opens one again that was no fraud, and leaves a fraud closed', async () => {
  const ids = await store([{}, {}, {}, {}]);
  const [open = '', legitimate = '', fraud = '', fresh = ''] = ids;
  await score([open, legitimate, fraud], 'review');
  await raiseCases(database);
  const close = (id: string, disposition: string) =>
    testDatabase.sql(
      `update review_cases set state = 'closed', disposition = $2, decision_reason = 'seen', decided_by = 'Ann',
              decided_at = now(), final_at = now(), closed_at = now() where transaction_id = $1`,
      [id, disposition],
    );
  await close(legitimate, 'legitimate');
  await close(fraud, 'fraud');
  for (const id of ids) await dispute(id);
  await dispute(fresh, 'somebody');
  expect(await raiseCases(database)).toHaveLength(3);
  const urgent = { source: 'dispute', priority: 'P0', state: 'open' };
  expect(await cases()).toMatchObject([
    { id: open, ...urgent },
    { id: legitimate, ...urgent },
    { id: fraud, source: 'verdict', state: 'closed' },
    { id: fresh, ...urgent },
  ]);
  await dispute(open);
  expect(await raiseCases(database)).toEqual([]);
});

test('a transaction whose month is gone gets no case, and holds up no other', async () => {
  const [id = ''] = await store([{}]);
  await testDatabase.sql(
    `insert into outbox_review (source, transaction_ids) values ('score', $1)`,
    [[idAt(Date.UTC(2015, 1)), id]],
  );
  expect(await raiseCases(database)).toHaveLength(1);
});

test('a worker opens the cases of what it scores, and makes decisions final and known', async () => {
  const rig = await createWorkerRig();
  await using _ = rig;
  await rig.database.sql(
    `insert into review_policies (policy, made_by)
     select policy || '{"spot_check_ratio": 1, "undo_seconds": 0}', 'test' from review_policies order by version desc limit 1`,
  );
  rig.startWorker();
  // The ratio is read after the start; what was scored before it was known has no case.
  const open = async () => {
    await rig.send([{ createdAtMs: NOW + made++ }]);
    const rows = await rig.database.sql<{ id: string; source: string }>(
      'select transaction_id as id, source from review_cases limit 1',
    );
    return rows[0];
  };
  const { id, source } = await waitUntil(open, 10_000, 'a case');
  expect(source).toBe('spot_check');
  await insertPersonKey(rig.database, 'Ann', ['analyst']);
  const [key] = await rig.database.sql<{ keyId: string }>('select key_id as "keyId" from api_keys');
  const ann = { name: 'Ann', keyId: key?.keyId ?? '', request: 'test', isOfficer: false };
  const reviewing = reviewingOn(rig.pool);
  await reviewing.claim(id, ann);
  await reviewing.decide(id, { disposition: 'fraud', reason: 'seen' }, ann);
  const labelled = async () => (await rig.database.sql('select from final_decisions')).length === 1;
  await waitUntil(labelled, 10_000, 'the final decision');
  const labels = await rig.database.sql('select transaction_id as id, label, source from labels');
  expect(labels).toEqual([{ id, label: 'fraud', source: 'review' }]);
  const waiting = async () => (await rig.database.sql('select from outbox_labels')).length === 0;
  await waitUntil(waiting, 5000, 'the profiles to know');
});

const find = async (type: EventSource['type'], nowMs: number) =>
  (await events.find((source) => source.type === type)?.find(database.query, nowMs)) ?? [];

test('a decision that waits for a second person is told to those who may confirm it', async () => {
  const [id] = await openCasesOf(testDatabase, database, [{}]);
  await insertPersonKey(testDatabase, 'Zoe', ['risk_officer']);
  const decided = `disposition = 'fraud', decision_reason = 'seen', decided_by = 'Ann', decided_at = now()`;
  await testDatabase.sql(`update review_cases set state = 'confirming', ${decided}`);
  const [told] = await find('approval.waiting', NOW);
  expect(faultsOf(told && bodyOf(told))).toEqual([]);
  expect(told?.data).toMatchObject({ subject: id, who: 'Ann', recipients: ['Zoe'] });
});

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
  const page = (await listDecisions(database.query, '0', 2)).map(toEvent);
  expect(page.map(({ transactionId }) => transactionId)).toEqual(ids.slice(0, 2));
  expect(await listDecisions(database.query, '2', 2)).toMatchObject([{ decision_id: '3' }]);
  const [{ data = {}, clientData = {} } = {}] = page;
  for (const decision of [data, clientData]) {
    const type = 'transaction.final_decision';
    const timestamp = new Date(NOW).toISOString();
    expect(faultsOf({ type, timestamp, data: { decisions: [decision] } })).toEqual([]);
  }
  expect(data).toMatchObject({ decision_id: '1', decided_by: 'Ann', reason: 'seen' });
  expect(Object.keys(clientData)).toEqual([
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
