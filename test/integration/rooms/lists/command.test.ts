/** Goal: people work with lists by `risk lists`, and the owner role writes reference lists. Method: the command beside an API. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { openForFile } from '../../../support/open-for-file.ts';
import { runRisk } from '../../../support/run-risk.ts';
import { startRunningApi } from '../../../support/running-api.ts';
import { folderOfFile } from '../../../support/temporary-folder.ts';

const api = await openForFile(startRunningApi());
const folder = folderOfFile();

function write(name: string, content: string | Buffer): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}
const json = (...args: string[]) => api.riskJson('lists', ...args);

/** A list that is made acts through rules, which the command says. */
async function create(name: string, ...about: string[]): Promise<unknown> {
  const { code, stdout, stderr } = await api.risk('lists', 'create', name, ...about, '--json');
  expect([code, stderr.trim()]).toEqual([
    0,
    `Entries change no decision until a rule set in force asks in_list("${name}")`,
  ]);
  return JSON.parse(stdout);
}

test('a list is made, added to, looked up and ended', async () => {
  const about = ['--effect', 'block', '--kind', 'device', '--description', 'stolen'];
  expect(await create('stolen', ...about)).toMatchObject({ name: 'stolen', version: 1 });
  const added = await json('add', 'stolen', 'device-1', '--reason', 'why');
  expect(added).toMatchObject({ value: 'device-1', state: 'in_force' });
  expect(await json('lookup', 'device', 'device-1')).toMatchObject([
    { list: 'stolen', effect: 'block' },
  ]);
  const { entry_id: id } = added as { entry_id: string };
  expect(await json('remove', 'stolen', id)).toMatchObject({ state: 'ended' });
  expect(await json('show', 'stolen')).toEqual([]);
  expect(await json('show', 'stolen', '--state', 'all')).toMatchObject([{ value: 'device-1' }]);
  expect(await json('list')).toMatchObject([{ name: 'stolen', open_entries: 0 }]);
});

test('what export prints, import takes, and the export of both is the same', async () => {
  const about = ['--effect', 'watch', '--kind', 'hash', '--description', 'both ways'];
  const rows = Array.from({ length: 250 }, (_, at) => ({
    value: String(at).padStart(64, '0'),
    reason: `said "${at}", \u00e9`,
    ...(at % 2 > 0 && { expires_at: '2099-01-01T00:00:00.000Z' }),
  }));
  const content = rows.map((row) => `${JSON.stringify(row)}\n`).join('');
  const file = write('both.ndjson', content);
  const reason = ['--reason', 'again'];
  for (const [name, added] of [
    ['one', 250],
    ['one', 0],
    ['other', 250],
  ] as const) {
    if (added > 0) await create(name, ...about);
    const { stdout } = await api.risk('lists', 'import', name, file, ...reason);
    expect(stdout).toContain(`rows=250 added=${added}`);
    expect((await api.risk('lists', 'export', name)).stdout).toBe(content);
  }
});

test('a file is imported whole, and wrong lines are named', async () => {
  const file = write(
    'devices.csv.gz',
    gzipSync('value,expires_at\nd-1,\nd-2,2099-01-01T00:00:00Z\n'),
  );
  const done = await api.risk('lists', 'import', 'stolen', file, '--reason', 'a wave');
  expect([done.code, done.stdout]).toEqual([
    0,
    expect.stringMatching(/^imported import_id=\d+ rows=2 added=2 state=in_force\n$/),
  ]);
  const lines = write('more.ndjson', '{"value":"d-3"}\n{"value":"","reason":"x"}\n');
  const refused = await api.risk('lists', 'import', 'stolen', lines, '--reason', 'a wave');
  expect([refused.code, refused.stdout]).toEqual([1, '']);
  expect(refused.stderr).toContain('line 2: value must not be empty');
  expect(refused.stderr).toContain('1 line is wrong, and nothing was imported.');
  expect(await json('lookup', 'device', 'd-3')).toEqual([]);
  const [{ import_id: id }] = (await json('imports', 'stolen')) as [{ import_id: string }];
  expect(await json('remove-import', 'stolen', id)).toMatchObject({ state: 'ended', added: 2 });
  expect(await json('lookup', 'device', 'd-1')).toEqual([]);
});

test('a reference list is a whole file, with source and date, that markets only read', async () => {
  const owner = { DATABASE_URL: api.testDatabase.url };
  const writeList = (content: string, date: string, kind = 'country') => {
    const file = write('countries.csv', content);
    const about = ['--effect', 'block', '--kind', kind, '--source', 'OFAC', '--date', date];
    return runRisk(
      ['lists', 'import', 'shared-sanctioned', file, '--shared', '--reason', 'why', ...about],
      owner,
    );
  };
  const first = await writeList('value\nKP\nIR\n', '2026-11-01');
  expect([first.code, first.stdout, first.stderr]).toEqual([
    0,
    'imported rows=2 added=2 ended=0\n',
    expect.any(String),
  ]);
  expect((await writeList('value\nKP\nSY\n', '2026-12-01')).stdout).toBe(
    'imported rows=2 added=1 ended=1\n',
  );
  expect((await writeList('value\nKP\nSY\n', '2026-12-01')).stdout).toBe(
    'imported rows=2 added=0 ended=0\n',
  );
  const [list] = ((await json('list')) as { name: string }[]).filter(({ name }) =>
    name.startsWith('shared'),
  );
  expect(list).toMatchObject({
    source: 'OFAC',
    source_date: '2026-12-01',
    open_entries: 2,
    version: 4,
  });
  expect(await json('lookup', 'country', 'SY')).toMatchObject([{ list: 'shared-sanctioned' }]);
  expect(await json('lookup', 'country', 'IR')).toEqual([]);
  expect((await writeList('value\nd\n', '2026-12-01', 'device')).stderr).toContain(
    'is a list to block by country',
  );
  const add = await api.risk('lists', 'add', 'shared-sanctioned', 'US', '--reason', 'why');
  expect([add.code === 0, add.stderr]).toEqual([false, expect.stringContaining('reference list')]);
  const gone = `update shared.reference_entries set value = 'US' where value = 'KP'`;
  await expect(api.testDatabase.sql(gone)).rejects.toThrow('never changed');
});
