/**
 * Goal: every command that reads a file of others reads it alike: what is wrong is told by its line, all else is taken, and the counts
 * come last. Method: the commands against an API and a worker of this file.
 */
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { childEnvironment, REPOSITORY, watch } from '../support/risk.ts';
import { runRisk } from '../support/run-risk.ts';
import { openRunningApi, RUNNING_API_KEY } from '../support/running-api.ts';
import { answerOf } from '../support/submit.ts';
import { folderOfFile } from '../support/temporary-folder.ts';

const api = await openRunningApi();
const worker = api.startWorker();
const folder = folderOfFile();
afterAll(async () => {
  await worker[Symbol.asyncDispose]();
});
const client = { RISK_URL: api.url, RISK_API_KEY: RUNNING_API_KEY };
const SET = ['--set', 'merchant_id=m,currency=USD,corridor=US-EG'];
const HEADER = 'idempotency_key,account_id,amount';

function write(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

async function replay(content: string | Uint8Array, ...args: string[]) {
  const file = write('payments.csv', content);
  const environment = { ...client, DATABASE_URL: api.testDatabase.url };
  const ran = await runRisk(['replay', file, ...SET, ...args], environment);
  const [, accepted, duplicates] =
    /^ledger accepted=(\d+) duplicates=(\d+) /m.exec(ran.stdout) ?? [];
  return { ...ran, accepted: Number(accepted), duplicates: Number(duplicates) };
}

/** The accounts among these that have a transaction. */
async function stored(...accounts: string[]): Promise<string[]> {
  const rows = await api.testDatabase.sql<{ account: string }>(
    'select distinct account_id as account from transactions where account_id = any($1)',
    [accounts],
  );
  return accounts.filter((account) => rows.some((row) => row.account === account));
}

describe('risk replay', () => {
  test('refuses rows in Windows-1252 by their lines, takes the others, and its counts come last', async () => {
    const text = `${HEADER}\nw1,M\xfcller,1.00\r\nw2,M\xf6ller,1.00\rw3,Moller,1.00\nw4,"a ""b""",1.00\n`;
    const { code, stdout, stderr, accepted } = await replay(Buffer.from(text, 'latin1'));
    expect(stderr).toMatch(
      /line 2: is not UTF-8 .*'M\\xFCller'.*iconv.*\nline 3: is not UTF-8 .*'M\\xF6ller'/,
    );
    expect(stderr).toContain('2 rows were refused and not stored');
    expect([code, accepted]).toEqual([1, 2]);
    const names = ['Moller', 'a "b"', 'M\ufffdller', 'Müller', 'Möller'];
    expect(await stored(...names)).toEqual(['Moller', 'a "b"']);
    expect(stdout.trimEnd().split('\n').at(-1)).toMatch(/^ledger accepted=2 /);
  });

  test('refuses the row of a stray quote alone, and stores those behind', async () => {
    const account = 'a'.repeat(40);
    const lines = Array.from({ length: 3_000 }, (_, nth) => `q${nth + 1},${account},1.00`);
    lines[1_999] = `q2000,"${account},1.00`;
    const { code, stderr, accepted } = await replay(
      [HEADER, ...lines].join('\r\n'),
      '--order',
      'file',
    );
    expect([code, accepted]).toEqual([1, 2_999]);
    expect(stderr).toContain('line 2001: has a quote (") that breaks its cells');
  });

  test('refuses ids that a spreadsheet has damaged, and takes them where they are meant', async () => {
    const ids = ['4.11111E+15', '4.11111E+15', '4.22222E+15', '1E+16', 'acc_5'];
    const text = [HEADER, ...ids.map((id, nth) => `d${nth},${id},1.00`)].join('\n');
    const refused = await replay(text);
    expect([refused.code, refused.accepted]).toEqual([1, 1]);
    expect(refused.stderr).toMatch(
      /line 2: \/account_id .*'4\.11111E\+15'.*format the column as text/,
    );
    const meant = await replay(text, '--ids-as-they-are');
    expect([meant.code, meant.accepted, meant.duplicates]).toEqual([0, 4, 1]);
  });

  test('knows a row by its key and nothing by the name and size of a file', async () => {
    const first = await replay(`${HEADER}\ns1,sa,1.00\n`);
    const other = await replay(`${HEADER}\ns2,sb,1.00\n`);
    expect([first.accepted, other.accepted]).toEqual([1, 1]);
    const mapped = await replay(`${HEADER}\ns3,sa,1.00\n`, '--map', 'account_id=idempotency_key');
    expect([mapped.accepted, await stored('sa', 'sb', 's3')]).toEqual([1, ['sa', 'sb', 's3']]);
  });

  test('tells its counts before an answer that belongs to no row, and goes on in a second run', async () => {
    const rows = Array.from({ length: 20 }, (_, nth) => `t${nth},na,${nth === 3 ? '0' : '1.00'},`);
    const old = Array.from(
      { length: 20 },
      (_, nth) => `o${nth},na,1.00,${2001 + nth}-02-03T00:00:00Z`,
    );
    const text = [`${HEADER},created_at`, ...rows, ...old].join('\n');
    const ordered = ['--order', 'file', '--connections', '1', '--batch'];
    const ended = await replay(text, ...ordered, '20');
    expect([ended.code, ended.stdout]).toEqual([1, '']);
    expect(ended.stderr).toMatch(/line 5: \/amount must be .*\n1 rows were refused/);
    expect(ended.stderr).toMatch(
      /transactions accepted=19 duplicate=0 refused=1 unanswered=0; the same command again goes on .*\n.* 422: .*new months/s,
    );
    const again = await replay(text, ...ordered, '10');
    expect([again.code, again.accepted, again.duplicates]).toEqual([1, 20, 19]);
  });

  test('reads standard input', async () => {
    const args = ['src/main/cli.ts', 'replay', '-', ...SET];
    const environment = childEnvironment({ ...client, DATABASE_URL: api.testDatabase.url });
    const child = spawn(process.execPath, args, { cwd: REPOSITORY, env: environment });
    await using risk = watch(child);
    child.stdin.end('{"idempotency_key":"i1","account_id":17,"amount":1.50}\n');
    expect(await risk.exited).toMatchObject({ code: 0 });
    expect(risk.stdout()).toMatch(/^ledger accepted=1 /m);
    expect(await stored('17')).toEqual(['17']);
  });

  test('posts nothing of any file where the header of one of them cannot be used', async () => {
    const bad = write('bad.csv', `${HEADER},account_id\nb2,ba,1.00,b\n`);
    const { code, stderr, stdout } = await replay(
      `${HEADER}\nb1,ba,1.00\n`,
      bad,
      '--order',
      'file',
    );
    expect([code, stdout, await stored('ba')]).toEqual([1, '', []]);
    expect(stderr).toContain(`${bad}: the header cannot be used`);
  });
});

describe('every command', () => {
  const owner = { ...client, DATABASE_URL: api.testDatabase.url };
  const COMMANDS = [
    ['replay', (file: string) => ['replay', file, ...SET], HEADER, 'k,a,1.00'],
    [
      'labels import',
      (file: string) => ['labels', 'import', file],
      'idempotency_key,label,labelled_at,source',
      'k,fraud,2026-11-20T09:30:00Z,bank',
    ],
    [
      'lists import',
      (file: string) => ['lists', 'import', 'told', file, '--reason', 'why'],
      'value,reason',
      'd,why',
    ],
    [
      'rates import',
      (file: string) => ['rates', 'import', file],
      'day,currency,usd',
      '2026-11-20,EUR,1',
    ],
  ] as const;

  test.each(COMMANDS)(
    '%s refuses what no row can be read of, with the same words',
    async (name, args, header, row) => {
      const list = { name: 'told', effect: 'block', kind: 'device', description: 'x' };
      if (name === 'lists import') expect((await api.post('/v1/lists', list)).status).toBe(200);
      const [first = ''] = header.split(',');
      for (const [content, said] of [
        ['', 'the text is empty'],
        [`${header},${first}\n${row},x\n`, `'${first}' stands there twice`],
        [`\ufeff ${first} ,${header}\nx,${row}\n`, `'${first}' stands there twice`],
        [`${header.replaceAll(',', ';')}\n${row.replaceAll(',', ';')}\n`, 'not semicolons (;)'],
        [Buffer.from(`\ufeff${header}\r\n${row}\r\n`, 'utf16le'), 'text is UTF-16'],
      ] as const) {
        const ran = await runRisk(args(write('told.csv', content)), owner);
        expect([ran.code, ran.stdout, ran.stderr]).toEqual([1, '', expect.stringContaining(said)]);
      }
      const blanks = `\ufeff${header.split(',').join(' , ')}\r\n${row}\r\n`;
      const ran = await runRisk(args(write('told.csv', blanks)), owner);
      expect([name, ran.stderr]).toEqual([
        name,
        name === 'labels import' ? expect.any(String) : '',
      ]);
    },
  );
});

test('labels are taken as data frames and databases write them, and one refused row is exit code 1', async () => {
  const flags = ['True', 'False', 'TRUE', '1.0', '0.0', 't'];
  const payments = flags.map((_, nth) => `l${nth},acc,1.00,2026-11-20 09:00:00+00`);
  const text = [`${HEADER},created_at`, ...payments].join('\n');
  expect((await replay(text)).accepted).toBe(flags.length);
  const at = '2026-11-20 09:30:00+00';
  const rows = [...flags, 'WAHR'].map((flag, nth) => `${nth},l${nth},${flag},${at},frames`);
  const file = write(
    'labels.csv',
    [',idempotency_key,label,labelled_at,source', ...rows].join('\r\n'),
  );
  const { code, stdout, stderr } = await api.risk('labels', 'import', file);
  expect([code, stdout]).toEqual([
    1,
    expect.stringMatching(/accepted=6 unchanged=0 refused=1 .*\n$/),
  ]);
  expect(stderr).toContain("line 8: /label must be one of 'fraud', 'legitimate'");
  const counts = `select label, count(*)::int as n from labels where source = 'frames' group by 1 order by 1`;
  expect(await api.testDatabase.sql(counts)).toEqual([
    { label: 'fraud', n: 4 },
    { label: 'legitimate', n: 2 },
  ]);
});

test('lists take ids that look damaged only where they are meant, in the route and in the command', async () => {
  const list = { name: 'phones', effect: 'block', kind: 'device', description: 'x' };
  expect((await api.post('/v1/lists', list)).status).toBe(200);
  const send = async (body: string | Uint8Array, query = '') =>
    await answerOf(
      await api.request(`/v1/lists/phones/imports?reason=why${query}`, {
        method: 'POST',
        headers: { 'Content-Type': 'text/csv' },
        body: Uint8Array.from(Buffer.from(body)),
      }),
    );
  const damaged = 'value\rd-1\r4.11111E+15\r';
  expect(await send(damaged)).toMatchObject({
    status: 422,
    body: {
      errors: [{ pointer: '/lines/3/value', detail: expect.stringContaining("'4.11111E+15'") }],
    },
  });
  const windows = await send(Buffer.from('value,reason\nd-2,gestohlen in M\xfcnchen\n', 'latin1'));
  expect(windows.body.errors).toEqual([
    { pointer: '/lines/2', detail: expect.stringContaining('gestohlen in M\\xFCnchen') },
  ]);
  expect(await send(damaged, '&ids_as_they_are=true')).toMatchObject({
    body: { rows: 2, added: 2 },
  });
  const indexed = ',value,expires_at\n0,d-5,2099-01-01 00:00:00+00:00\n1,nan,\n';
  const args = ['lists', 'import', 'phones', write('phones.csv', indexed), '--reason', 'why'];
  expect((await runRisk(args, client)).stderr).toContain('line 3: value must be the id');
  const meant = await runRisk([...args, '--ids-as-they-are'], client);
  expect([meant.code, meant.stdout]).toEqual([0, expect.stringContaining('rows=2 added=2')]);
});

test('a body of lines is taken with a BOM and any line ends', async () => {
  const line = (key: string) =>
    JSON.stringify({
      ...{ idempotency_key: key, account_id: 'a', merchant_id: 'm' },
      ...{ amount: '1.00', currency: 'USD', corridor: 'US-EG' },
    });
  const body = `\ufeff${line('n1')}\r${line('n2')}\r\n\r\n${line('n3')}\n${line('n4')}\r`;
  const headers = { 'Content-Type': 'application/x-ndjson' };
  const response = await api.request('/v1/transactions/batch', { method: 'POST', headers, body });
  const lines = (await response.text())
    .trimEnd()
    .split('\n')
    .map((text) => JSON.parse(text));
  expect(lines.at(-1)).toEqual({ done: true, accepted: 4, duplicates: 0, refused: 0 });
});
