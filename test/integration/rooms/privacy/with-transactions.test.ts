/**
 * Goal: a market with clear values gets tokens by the way that its refusal of a declaration names. Method: its transactions and labels
 * are exported and go into a second market with declared fields, whose tables and keys are searched for the clear values.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openForFile } from '../../../support/open-for-file.ts';
import { dumpKeys, dumpTables, findIn } from '../../../support/rooms/privacy/canaries.ts';
import {
  ACCOUNTS,
  CANARIES,
  CONTROL,
  payments,
  sendScored,
} from '../../../support/rooms/privacy/history.ts';
import { makePrivacyFolder } from '../../../support/rooms/privacy/settings.ts';
import { type RunningApi, startRunningApi } from '../../../support/running-api.ts';
import { labelInput, postLabels } from '../../../support/submit.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

const FIELDS = ['account_id', 'device_id', 'ip', 'metadata.contacts.email', 'metadata.home'];
const PAYMENTS = 60;
const BY_OLD_ID = ['--map', 'idempotency_key=transaction_id'];

const folder = await openForFile(makePrivacyFolder());
const older = await openForFile(startRunningApi(folder.settings));
const newer = await openForFile(startRunningApi(folder.settings));

const labelsOf = async (api: RunningApi) =>
  await api.testDatabase.sql(
    `select t.created_at, t.amount, l.label, l.labelled_at, l.source, l.note
       from labels l join transactions t using (transaction_id, created_at) order by 1, 4`,
  );

test('a history goes into a market with declared fields, and leaves its clear values behind', async () => {
  const scratch = temporaryFolder();
  const history = join(scratch, 'history.ndjson');
  const labels = join(scratch, 'labels.ndjson');
  await using _worker = older.startWorker();
  const ids = await sendScored(older, payments(0, PAYMENTS));
  await postLabels(older, [
    labelInput({ transaction_id: ids[3], source: 'chargeback', note: 'seen' }),
    labelInput({ transaction_id: ids[7], label: 'legitimate', source: 'analyst' }),
  ]);
  const late = await older.risk('privacy', 'declare', 'account_id');
  expect([late.code, late.stderr]).toEqual([
    1,
    expect.stringContaining('risk export, risk replay and risk labels import'),
  ]);

  await older.riskJson('export', '--format', 'ndjson', '--order', 'asc', '--output', history);
  const listed = await older.riskJson('labels', 'list', '--limit', '100000');
  if (!Array.isArray(listed)) throw new Error('a list is an array');
  await writeFile(labels, listed.map((label) => JSON.stringify(label)).join('\n'));
  expect(findIn(await readFile(history, 'utf8'), CANARIES)).not.toEqual([]);

  for (const field of FIELDS) expect((await newer.risk('privacy', 'declare', field)).code).toBe(0);
  await using _other = newer.startWorker();
  const replayed = await newer.risk('replay', history, ...BY_OLD_ID, '--json');
  expect(JSON.parse(replayed.stdout)).toMatchObject({
    accepted: PAYMENTS,
    scored: PAYMENTS,
    refused: 0,
    lost: 0,
  });
  const imported = await newer.riskJson('labels', 'import', labels, ...BY_OLD_ID);
  expect(imported).toMatchObject({ accepted: 2, refused: 0 });
  const again = await newer.risk('replay', history, ...BY_OLD_ID, '--json');
  expect(JSON.parse(again.stdout)).toMatchObject({ accepted: 0, duplicates: PAYMENTS });

  const { sql } = newer.testDatabase;
  const kept = `created_at, amount, currency, corridor, merchant_id, channel, metadata ->> 'tier' as tier`;
  const rows = `select ${kept} from transactions order by created_at`;
  expect(await sql(rows)).toEqual(await older.testDatabase.sql(rows));
  expect(await labelsOf(newer)).toEqual(await labelsOf(older));
  const accounts = await sql<{ token: string }>(
    'select distinct account_id as token from transactions',
  );
  expect(accounts.map(({ token }) => token)).toEqual(
    ACCOUNTS.map(() => expect.stringMatching(/^tok_[0-9a-f]{32}$/)),
  );
  for (const text of [await dumpTables(newer.testDatabase), await dumpKeys(newer.redis)])
    expect(findIn(text, [CONTROL, ...CANARIES])).toEqual([CONTROL]);
});
