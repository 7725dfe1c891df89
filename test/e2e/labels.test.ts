/**
 * Goal: `risk labels import` stores the labels of a file, once, and reports those that it could not. Method:
 * the command as a process against an API process; the rows are counted in SQL.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeEach, describe, expect, test } from 'vitest';
import { runRisk } from '../support/run-risk.ts';
import { openRunningApi, RUNNING_API_KEY } from '../support/running-api.ts';
import { count, input, postBatch } from '../support/submit.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';
import { folderOfFile } from '../support/temporary-folder.ts';

const CREATED_AT = '2018-04-01T00:00:31Z';

const folder = folderOfFile();
const api = await openRunningApi();

beforeEach(async () => {
  await api.reset();
  await api.testDatabase.sql('truncate idempotency_keys');
});

/** Accepts transactions with the keys 0, 1, 2 and so on. */
async function accept(transactions: number): Promise<void> {
  const inputs = Array.from({ length: transactions }, (_, key) =>
    input({ idempotency_key: String(key), created_at: CREATED_AT }),
  );
  for (let at = 0; at < inputs.length; at += 1000) {
    expect((await postBatch(api, inputs.slice(at, at + 1000))).status).toBe(200);
  }
}

/** A file of labels as the published ones are; every hundredth is a fraud. */
function published(name: string, rows: number): string {
  const path = join(folder, name);
  const lines = Array.from(
    { length: rows },
    (_, id) => `${id},${CREATED_AT},${id % 100 ? 0 : 1},0`,
  );
  writeFileSync(
    path,
    gzipSync(['transaction_id,created_at,is_fraud,fraud_scenario', ...lines, ''].join('\n')),
  );
  return path;
}

const PUBLISHED = [
  '--map',
  'idempotency_key=transaction_id,label=is_fraud',
  '--set',
  'source=book',
  '--labelled-after',
  '7d',
];

const lastLine = (text: string) => text.trimEnd().split('\n').at(-1) ?? '';

describe('risk labels import', () => {
  test('shows rows that are not readable, and reads NDJSON', async () => {
    await accept(1);
    const path = join(folder, 'rows.ndjson');
    const label = { label: 'fraud', labelled_at: '2018-04-02T00:00:00Z', source: 'bank' };
    const rows = ['no object', JSON.stringify({ ...label, idempotency_key: '0' })];
    writeFileSync(path, [...rows, JSON.stringify({ idempotency_key: '0', label: 7 })].join('\n'));
    const { code, stdout, stderr } = await api.risk('labels', 'import', path);
    expect([code, lastLine(stdout)]).toEqual([
      1,
      expect.stringContaining('labels accepted=1 unchanged=0 refused=2'),
    ]);
    expect(stderr).toContain('line 1: is not a JSON object\nline 3: /label ');
  });

  test('that loses an answer sends its labels again and counts each once', async () => {
    await accept(200);
    await using proxy = await startTcpProxy(api.url);
    proxy.inflict({ kind: 'cut', at: '{"labels"', forwarded: true, times: 1 });
    const environment = { RISK_URL: proxy.url, RISK_API_KEY: RUNNING_API_KEY };
    const file = published('cut.csv.gz', 200);
    const { code, stdout } = await runRisk(['labels', 'import', file, ...PUBLISHED], environment);
    expect([code, proxy.effects()]).toEqual([0, 1]);
    expect(lastLine(stdout)).toMatch(/^labels accepted=\d+ unchanged=\d+ refused=0 /);
    expect(await count(api, 'labels')).toBe(200);
  });

  test.each([
    ['no action', [], 2, 'ACTION is missing'],
    ['an unknown action', ['export', 'x'], 2, 'the action must be one of import, list'],
    [
      'a label that is none',
      ['list', '--label', 'maybe'],
      2,
      "--label must be one of fraud, legitimate, not 'maybe'",
    ],
    ['no number', ['list', '--limit', 'all'], 2, '--limit'],
    ['no file', ['import'], 2, 'FILE is missing'],
    ['an unknown field', ['import', 'x', '--map', 'score=y'], 2, "not 'score=y'"],
    ['a field twice', ['import', 'x', '--map', 'label=a,label=b'], 2, 'names label twice'],
    ['no delay', ['import', 'x', '--labelled-after', 'soon'], 2, "as 7d, not 'soon'"],
    ['a batch too large', ['import', 'x', '--batch', '1001'], 2, 'from 1 to 1000'],
    [
      'a time twice',
      ['import', 'x', '--labelled-after', '7d', '--map', 'labelled_at=y'],
      2,
      'cannot be mapped',
    ],
    ['a file that is not there', ['import', '/nonexistent/x.csv'], 1, 'no such file'],
  ])('with %s says so', async (_name, args, code, words) => {
    const result = await api.risk('labels', ...args);
    expect([result.code, result.stdout]).toEqual([code, '']);
    expect(result.stderr).toContain(words);
  });

  test('exits 1 and names the column that a file lacks', async () => {
    const { code, stderr } = await api.risk('labels', 'import', published('plain.csv.gz', 1));
    expect(code).toBe(1);
    expect(stderr).toContain("no column 'label' for label: name it with --map label=COLUMN");
  });
});
