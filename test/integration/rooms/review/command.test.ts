/** Goal: `risk review` does by command what a reviewer does. Method: the command as a process, against a running API. */
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openForFile } from '../../../support/open-for-file.ts';
import { insertPersonKey } from '../../../support/people.ts';
import { runRisk } from '../../../support/run-risk.ts';
import { startRunningApi } from '../../../support/running-api.ts';
import { storeTransactions } from '../../../support/stored-rows.ts';

const api = await openForFile(startRunningApi());
const key = await insertPersonKey(api.testDatabase, 'Ann', ['analyst']);

const risk = (...args: string[]) => runRisk(args, { RISK_URL: api.url, RISK_API_KEY: key });
const json = async (...args: string[]) =>
  JSON.parse((await risk('review', ...args, '--json')).stdout);

test('a case is listed, claimed, decided and taken back', async () => {
  const [id = ''] = await storeTransactions(api.database, [
    { createdAtMs: Date.UTC(2026, 10, 20), score: 730 },
  ]);
  expect(await json('next')).toEqual({ case: null });
  const byFirstKey = await runRisk(['review', 'next', '--json'], {
    RISK_URL: api.url,
    RISK_BOOTSTRAP_KEY: key,
  });
  expect(JSON.parse(byFirstKey.stdout)).toEqual({ case: null });
  const opened = await api.post('/v1/reviews', { transaction_id: id, note: 'a customer called' });
  expect(opened.status).toBe(201);
  expect(await json('list', '--priority', 'P2')).toMatchObject([
    { transaction_id: id, state: 'open' },
  ]);
  expect(await json('list', '--priority', 'P0')).toEqual([]);
  expect(await json('next', '--corridor', 'US-EG')).toMatchObject({ locked_by: 'Ann' });
  const decided = await json('decide', id, 'fraud', '--reason', 'stolen card');
  expect(decided).toMatchObject({ state: 'decided', decision: { disposition: 'fraud' } });
  expect(await json('undo', id)).toMatchObject({ state: 'claimed', decision: null });
  expect(await json('release', id)).toMatchObject({ state: 'open' });
  const { history, notes } = await json('show', id);
  expect(notes).toMatchObject([{ note: 'a customer called' }]);
  expect(history.map((one: { action: string }) => one.action)).toEqual([
    'case.release',
    'case.undo',
    'case.decide',
    'case.claim',
    'case.open',
  ]);
});

test('all other steps of the API have a command: by hand, notes, two people, policy', async () => {
  const [high = ''] = await storeTransactions(api.database, [
    { createdAtMs: Date.UTC(2026, 10, 20, 1), amount: '9000.00', score: 600 },
  ]);
  const opened = await json('open', high, '--note', 'a customer called');
  expect(opened).toMatchObject({ source: 'manual', priority: 'P1', needs_second_person: true });
  const bob = await insertPersonKey(api.testDatabase, 'Bob', ['risk_officer']);
  const byBob = async (...args: string[]) =>
    JSON.parse(
      (
        await runRisk(['review', ...args, '--json'], {
          ...{ RISK_URL: api.url, RISK_API_KEY: bob },
        })
      ).stdout,
    );
  await json('claim', high);
  expect(await json('lock', high)).toMatchObject({ locked_by: 'Ann' });
  expect(await json('note', high, 'no answer')).toEqual({ note_id: expect.any(String) });
  const escalated = await json('escalate', high, '--reason', 'it may be a ring');
  expect(escalated).toMatchObject({ escalated_by: 'Ann', locked_by: null });
  expect(await byBob('assign', high, '--assignee', 'Ann')).toMatchObject({ assignee: 'Ann' });
  await json('claim', high);
  expect(await json('decide', high, 'fraud', '--reason', 'seen')).toMatchObject({
    state: 'confirming',
  });
  expect(await byBob('return', high, '--reason', 'the receipt is missing')).toMatchObject({
    state: 'open',
  });
  const { notes } = await json('show', high);
  expect(notes.map((one: Record<string, unknown>) => one['note'])).toEqual([
    'a customer called',
    'no answer',
    'it may be a ring',
    'the receipt is missing',
  ]);

  const policy = await json('policy');
  expect(policy.undo_seconds).toBe(20);
  const file = join(tmpdir(), `policy-${process.pid}.json`);
  await writeFile(file, JSON.stringify({ ...policy, undo_seconds: 30 }));
  expect(await byBob('set-policy', file)).toMatchObject({ version: 2 });
  expect(await json('policy')).toEqual({ ...policy, undo_seconds: 30 });
});
