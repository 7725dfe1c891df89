/**
 * Goal: an export finds, with the token of a write, what a replica lacks. Method: an API process on a primary and a real streaming
 * replica, whose replay is paused.
 */
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { hasWrite } from '../../../../src/kit/database/replica/replica-position.ts';
import { type ConsistencyToken, decodeToken } from '../../../../src/kit/words/consistency-token.ts';
import { exportParameters } from '../../../../src/rooms/exports/parameters.ts';
import { prepareExport } from '../../../../src/rooms/exports/read-rows.ts';
import {
  CREATED_AT,
  PATIENCE_MS,
  REPLICATED_TIMEOUTS,
  type ReplicatedApi,
  startReplicatedApi,
  TO,
} from '../../../support/replicated-api.ts';
import { storeTransactions } from '../../../support/stored-rows.ts';
import { waitUntil } from '../../../support/wait-until.ts';

vi.setConfig(REPLICATED_TIMEOUTS);

let rig: ReplicatedApi;
beforeAll(async () => {
  rig = await startReplicatedApi();
});
afterAll(() => rig[Symbol.asyncDispose]());

test('with a token an export has what a paused replica lacks', async () => {
  const path = `/v1/exports/transactions?account_id=exported&to=${TO}`;
  const forms = [
    ['csv', (text: string) => text.split('\n').filter(Boolean).length - 1],
    ['ndjson', (text: string) => JSON.parse(text.trim().split('\n').at(-1) ?? '').rows],
  ] as const;
  const [before] = await rig.postedOne({ account_id: 'exported' });
  await rig.untilReplicaAnswers('exported', before);
  await using _paused = await rig.pause();
  const [token] = await rig.postedOne({ account_id: 'exported' });
  for (const [format, rows] of forms) {
    const exported = async (...sent: string[]) =>
      rows((await rig.get(`${path}&format=${format}`, ...sent)).body);
    expect([format, await exported()]).toEqual([format, 1]);
    expect([format, await exported(token)]).toEqual([format, 2]);
  }
  expect((await rig.get(path, 'nonsense')).status).toBe(422);
});

test('with a token risk export writes what a paused replica lacks', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'risk-export-'));
  const [before] = await rig.postedOne({ account_id: 'commanded' });
  await rig.untilReplicaAnswers('commanded', before);
  await using _paused = await rig.pause();
  const [token] = await rig.postedOne({ account_id: 'commanded' });
  const exported = async (output: string, ...sent: string[]) => {
    const file = join(folder.path, output);
    const { code, stdout, stderr } = await rig.api.risk(
      ...['export', '--account-id', 'commanded', '--to', TO, '--output', file, ...sent],
    );
    return `${code} ${code === 0 ? stdout : stderr}`;
  };
  const carried = ['--consistency-token', token];
  expect(await exported('without.csv')).toMatch(/^0 exported rows=1 /);
  expect(await exported('with.csv', ...carried)).toMatch(/^0 exported rows=2 /);
  expect(await exported('with.parquet', '--format', 'parquet', ...carried)).toMatch(
    /^0 exported rows=2 /,
  );
  expect(await exported('nonsense.csv', '--consistency-token', 'nonsense')).toMatch(
    /^2 .*--consistency-token must match/s,
  );
  expect(await exported('broken.csv', '--consistency-token', 'two\nlines')).toMatch(
    /^2 .*--consistency-token must match/s,
  );
});

test('an export of minutes goes back to a replica that has caught up', async () => {
  const account = { accountId: 'long', createdAtMs: Date.parse(CREATED_AT) };
  await storeTransactions(
    rig.primary,
    Array.from({ length: 20 }, () => account),
  );
  const [before] = await rig.postedOne({ account_id: 'before-long' });
  await rig.untilReplicaAnswers('before-long', before);
  const reads: string[] = [];
  const databases = {
    ...{ primary: rig.primary, now: Date.now },
    countRead: (...[by]: readonly string[]) => reads.push(by ?? ''),
    replica: {
      ...{ database: rig.replica, ageMs: () => 0 },
      hasReplayed: (token: ConsistencyToken) => hasWrite(rig.replica, token),
    },
  };
  const asked = exportParameters.parse({ account_id: 'long', to: TO });
  const rows: number[] = [];
  await using paused = await rig.pause();
  const [token] = await rig.postedOne({ account_id: 'long' });
  const write = decodeToken(token);
  if (write === undefined) throw new Error(`no token: ${token}`);
  const readRows = await prepareExport(databases, asked, write, () => ({
    ...{ pageRows: 7, takenRows: 7, groupRows: 7 },
  }));
  for await (const some of readRows(Infinity, new AbortController().signal)) {
    rows.push(some.length);
    if (rows.length > 1) continue;
    await paused[Symbol.asyncDispose]();
    await waitUntil(() => hasWrite(rig.replica, write), PATIENCE_MS, 'the write on the replica');
  }
  // The second slice is read while the rows of the first are taken.
  expect([rows, reads[0], reads.at(-1)]).toEqual([[7, 7, 7], 'primary', 'replica']);
});
