/** Goal: analysts ask for backtests by a command. Method: `risk backtest` as a process beside an API; no worker runs. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createDraft } from '../../../../src/rooms/rules/rule-set-change.ts';
import { source } from '../../../support/rooms/backtest/rig.ts';
import { makeOfficer } from '../../../support/rooms/rules/officers.ts';
import { openRunningApi } from '../../../support/running-api.ts';
import { folderOfFile } from '../../../support/temporary-folder.ts';

const api = await openRunningApi();
const folder = folderOfFile();

/** The answer of an action that queues a backtest, after the command that shows the backtest. */
async function queue(...args: string[]): Promise<{ readonly backtest_id: string }> {
  const { stdout, stderr } = await api.risk('backtest', ...args, '--json');
  const asked = JSON.parse(stdout);
  expect(stderr).toContain(`bin/risk backtest show ${asked.backtest_id}`);
  return asked;
}

const WINDOW = ['--from', '2026-10-01', '--to', '2026-10-02'];

test('a rule set by name and one of a file are asked for, listed, shown and cancelled', async () => {
  const path = join(folder, 'own.json');
  writeFileSync(path, JSON.stringify(source('own@1')));
  await createDraft(api.database, source('own@2'), await makeOfficer(api.testDatabase, 'Ann'));
  const named = await queue('run', ...WINDOW, '--rule-set', 'default@4');
  expect(named).toMatchObject({ state: 'queued', version: 'default@4', against: 'default@4' });
  const filed = await queue('file', path, ...WINDOW, '--against-rule-set', 'own@2');
  expect(filed).toMatchObject({ version: 'own@1', against: 'own@2' });
  expect(await api.riskJson('backtest', 'list')).toHaveLength(2);
  const shown = await api.riskJson('backtest', 'show', filed.backtest_id);
  expect(shown).toMatchObject({ ...filed, report: null });
  const cancelled = await api.riskJson('backtest', 'cancel', filed.backtest_id);
  expect(cancelled).toMatchObject({ state: 'cancelled', cancelled_by: expect.anything() });
  const bands = ['bands', filed.backtest_id, '--review', '400', '--decline', '800'];
  const { code, stderr } = await api.risk('backtest', ...bands);
  expect([code, stderr]).toEqual([1, expect.stringContaining('cancelled, and not done')]);
  const resumed = await queue('resume', filed.backtest_id);
  expect(resumed).toMatchObject({ state: 'queued', ended_at: null });
});
