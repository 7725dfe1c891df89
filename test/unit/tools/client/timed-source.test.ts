/** Goal: a replay posts rows in order of time over all its files, and labels before the day that follows them. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeEach, expect, test } from 'vitest';
import { createOutput } from '../../../../src/kit/command/output.ts';
import { openParts, type Parts } from '../../../../src/tools/client/timed-source.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sorted-'));
  return () => rmSync(folder, { recursive: true });
});

const PLAIN = { columns: {}, constants: {} };
const FIELDS = { account_id: 'a', merchant_id: 'm', amount: '1.00', currency: 'USD' };

function writeRows(name: string, rows: readonly object[]): string {
  const path = join(folder, name);
  const text = rows.map((row) => JSON.stringify(row)).join('\n');
  writeFileSync(path, name.endsWith('.gz') ? gzipSync(text) : text);
  return path;
}

const transaction = (key: string, createdAt?: string) => ({
  ...FIELDS,
  ...{ idempotency_key: key, corridor: 'US-EG', created_at: createdAt },
});

/** Each part as its kind and its rows: key or fault, file, line. */
async function shown({ parts }: Parts): Promise<string[][]> {
  const all: string[][] = [];
  for await (const { kind, rows } of parts) {
    const part: string[] = [kind];
    for await (const row of rows) {
      const what = 'body' in row ? row.body['idempotency_key'] : row.detail;
      part.push(`${what} ${basename(row.file ?? '')}:${row.line}`);
    }
    all.push(part);
  }
  return all;
}

const open = (
  files: readonly string[],
  labelsFile: string | null = null,
  order: 'time' | 'file' = 'time',
  environment: NodeJS.ProcessEnv = { ...process.env, TMPDIR: folder },
  sortBytesMax = 2 ** 30,
  isByDay = false,
): Promise<Parts> => {
  const labels =
    labelsFile === null ? null : { file: labelsFile, mapping: PLAIN, labelledAfterMs: null };
  const output = createOutput({ json: true, stderr: { write: () => undefined } });
  const { signal } = new AbortController();
  return openParts(
    { files, mapping: PLAIN, order, sortBytesMax, labels, isByDay },
    { environment, output, signal },
  );
};

test('a row that cannot be read keeps its place, and comes last', async () => {
  const path = writeRows('t.ndjson', [
    [],
    { ...transaction('text', '2026-10-01T10:00:00Z'), metadata: { note: 'a\tb\n\u2028\ud800' } },
  ]);
  expect(await shown(await open([path]))).toEqual([
    ['transactions', 'text :2', 'is not a JSON object :1'],
  ]);
});

test('more rows than fit into memory are sorted in the folder, which is empty afterwards', async () => {
  const count = 20_000;
  const rows = Array.from({ length: count }, (_, row) => {
    const ms = Date.UTC(2026, 0, 1) + ((row * 7_919) % count) * 1000;
    return {
      ...transaction(`k${row}`, new Date(ms).toISOString()),
      metadata: { pad: 'x'.repeat(4_000) },
    };
  });
  const path = writeRows('many.ndjson', rows);
  let before = '';
  let seen = 0;
  for await (const { rows: part } of (await open([path])).parts) {
    expect(readdirSync(folder).some((name) => name.startsWith('sort'))).toBe(true);
    for await (const row of part) {
      if (!('body' in row)) throw new Error(row.detail);
      const time = String(row.body['created_at']);
      if (time < before) throw new Error(`${time} comes after ${before}`);
      before = time;
      seen++;
    }
  }
  expect(seen).toBe(count);
  expect(readdirSync(folder)).toEqual(['many.ndjson']);
  for await (const { rows: part } of (await open([path])).parts) {
    expect((await part.next()).done).toBe(false);
    break;
  }
  expect(readdirSync(folder)).toEqual(['many.ndjson']);
  const { parts } = await open([path], null, 'time', { ...process.env, TMPDIR: folder }, 2 ** 20);
  await expect(parts.next()).rejects.toThrow('more than 1 MiB');
  expect(readdirSync(folder)).toEqual(['many.ndjson']);
});

test('without a sort program a failure says what to do', async () => {
  const path = writeRows('t.ndjson', [transaction('a', '2026-10-01T10:00:00Z')]);
  const { parts } = await open([path], null, 'time', { PATH: folder });
  await expect(parts.next()).rejects.toThrow('install coreutils');
});

test('--order file leaves rows as they lie, file after file', async () => {
  const a = writeRows('a.ndjson', [transaction('2', '2026-10-02T00:00:00Z')]);
  const b = writeRows('b.ndjson', [transaction('1', '2026-10-01T00:00:00Z')]);
  expect(await shown(await open([a, b], null, 'file'))).toEqual([
    ['transactions', '2 a.ndjson:1', '1 b.ndjson:1'],
  ]);
});

test('parts by day end before the next day, whose part comes after the labels known by then', async () => {
  const path = writeRows('t.ndjson', [
    transaction('timeless'),
    transaction('c', '2026-10-02T00:00:00Z'),
    transaction('b', '2026-10-01T23:59:59.999Z'),
    transaction('a', '2026-10-01T00:00:00Z'),
    transaction('d', '2026-10-03T10:00:00Z'),
  ]);
  const labels = writeRows('l.ndjson', [
    {
      ...{ idempotency_key: 'a', label: 'fraud', source: 's' },
      labelled_at: '2026-10-01T12:00:00Z',
    },
  ]);
  const { parts } = await open([path], labels, 'time', undefined, undefined, true);
  const seen: string[] = [];
  for await (const { kind, day, rows } of parts) {
    for await (const row of rows) {
      seen.push(`${kind} ${day} ${'body' in row ? row.body['idempotency_key'] : row.detail}`);
    }
    seen.push('end');
  }
  expect(seen).toEqual([
    ...['transactions 20727 a', 'transactions 20727 b', 'end', 'labels undefined a', 'end'],
    ...['transactions 20728 c', 'end', 'transactions 20729 d', 'end'],
    ...['transactions undefined timeless', 'end'],
  ]);
});
