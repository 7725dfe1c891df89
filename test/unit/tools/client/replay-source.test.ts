/** Goal: a foreign file becomes exactly the rows the API knows, and a broken row spoils no other. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { transactionProjection } from '../../../../src/core/domain/file-rows.ts';
import {
  batched,
  openSource,
  type RowBatch,
  type SourceFile,
} from '../../../../src/kit/client/rows.ts';
import { folderOfFile } from '../../../support/temporary-folder.ts';

const REQUIRED = {
  account_id: 'a',
  merchant_id: 'm',
  amount: '1',
  currency: 'USD',
  corridor: 'US-US',
};
const folder = folderOfFile();

async function readAll(source: SourceFile, rowsPerBatch = 10): Promise<RowBatch[]> {
  const batches: RowBatch[] = [];
  for await (const batch of batched(source.rows(), rowsPerBatch)) batches.push(batch);
  return batches;
}

test('openSource looks for lost digits in the members that it reads, also beside members that are deep', async () => {
  const path = join(folder, 'digits.ndjson');
  const long = '12345678901234567890';
  const deep = `${'{"a":'.repeat(40)}1${'}'.repeat(40)}`;
  const rows = [
    `{"idempotency_key":"k1","raw":{"ref":${long}},"twice":1,"twice":2}`,
    `{"idempotency_key":"k2","raw":${deep},"metadata":{"order":${long}}}`,
    `{"idempotency_key":"k3","raw":${deep},"metadata":{"order":17}}`,
    `{"idempotency_key":"k4","idempotency_key":"k5"}`,
  ];
  writeFileSync(path, rows.join('\n'));
  const [{ rows: taken = [], unreadable = [] } = {}] = await readAll(await openSource(path, KEYS));
  expect(taken.map(({ body }) => body['idempotency_key'])).toEqual(['k1', 'k3']);
  expect(unreadable).toEqual([
    { line: 2, detail: expect.stringMatching(/\/metadata\/order must be a number .*send a text/) },
    { line: 4, detail: expect.stringContaining('/idempotency_key must be given once') },
  ]);
});

test.each([
  ['frame.json', '[{"idempotency_key":"k1"},{"idempotency_key":"k2"}]'],
  ['frame.ndjson', '\ufeff[\r\n  {"idempotency_key":"k1"}\r\n]'],
  ['object.json', '{\n  "idempotency_key": "k1"\n}\n'],
])(
  'openSource refuses JSON that is not an object a line, and says how to write it: %s',
  async (name, text) => {
    const path = join(folder, name);
    writeFileSync(path, text);
    await expect(openSource(path, KEYS)).rejects.toMatchObject({
      code: 'FILE_FORM_WRONG',
      message: expect.stringMatching(/json: the text is JSON, and not an object a line: .*jq -c/),
    });
  },
);

const KEYS = transactionProjection({ columns: {}, constants: REQUIRED });

test('openSource keeps the rows before the place where an archive breaks off, and refuses what follows', async () => {
  const path = join(folder, 'rows.csv.gz');
  const keys = Array.from({ length: 200_000 }, (_, nth) => `key-${(nth * 7_919) % 200_003}`);
  const whole = gzipSync(`idempotency_key\n${keys.join('\n')}`);
  writeFileSync(path, whole.subarray(0, whole.length - 40));
  const batches = await readAll(await openSource(path, KEYS), 1_000_000);
  const [{ rows = [], unreadable = [] } = {}] = batches;
  expect(rows.length).toBeGreaterThan(1_000);
  expect(rows.map(({ body }) => body['idempotency_key'])).toEqual(keys.slice(0, rows.length));
  const detail = 'cannot be read, nor any line behind: unexpected end of file';
  expect(unreadable).toEqual([{ line: rows.length + 2, detail }]);
});

test('openSource refuses a file without a byte, of blanks, of blanks in an archive, and none at all, by its name', async () => {
  for (const [name, bytes] of [
    ['empty.csv', ''],
    ['empty.ndjson', ''],
    ['bom.csv', '\ufeff'],
    ['blank.csv', '\r\n \n'],
    ['blank.ndjson', '\n\n'],
    ['packed.csv.gz', gzipSync('')],
  ] as const) {
    const path = join(folder, name);
    writeFileSync(path, bytes);
    await expect(openSource(path, KEYS)).rejects.toMatchObject({
      code: 'FILE_EMPTY',
      message: expect.stringContaining(`${path}: the text is empty`),
    });
  }
  await expect(openSource(join(folder, 'none.csv'), KEYS)).rejects.toThrow('none.csv: ENOENT');
  await expect(openSource(folder, KEYS)).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
});

test('openSource takes a header without rows, which says what the file has', async () => {
  const path = join(folder, 'none-yet.csv');
  writeFileSync(path, 'idempotency_key\n');
  expect(await readAll(await openSource(path, KEYS))).toEqual([]);
});

test('openSource knows NDJSON by its content where no name tells, and reads a pipe as a file', async () => {
  const path = join(folder, 'rows.txt');
  writeFileSync(path, '\ufeff\r\n {"idempotency_key":"k"}\r\n');
  const [batch] = await readAll(await openSource(path, KEYS));
  expect(batch?.rows).toEqual([{ line: 2, body: { idempotency_key: 'k', ...REQUIRED } }]);
  const pipe = join(folder, 'pipe.csv');
  execFileSync('mkfifo', [pipe]);
  const writing = writeFile(pipe, gzipSync('idempotency_key\nk\n'));
  const [piped] = await readAll(await openSource(pipe, KEYS));
  await writing;
  expect(piped?.rows).toEqual([{ line: 2, body: { idempotency_key: 'k', ...REQUIRED } }]);
});

test.each([
  ['1000.0', 'JPY', '1000'],
  ['12.500', 'USD', '12.50'],
  ['12.0', 'USD', '12.0'],
  ['12.50', 'USD', '12.50'],
  ['12.505', 'USD', '12.505'],
  ['12.5050', 'USD', '12.5050'],
  ['1.2500', 'KWD', '1.250'],
  ['1000.0', 'no code', '1000.0'],
  ['12,50', 'USD', '12,50'],
])('an amount of %s %s is posted as %s', async (amount, currency, posted) => {
  const path = join(folder, 'amounts.csv');
  writeFileSync(path, `idempotency_key,amount,currency\nk,"${amount}",${currency}\n`);
  const constants = { account_id: 'a', merchant_id: 'm', corridor: 'US-US' };
  const [batch] = await readAll(
    await openSource(path, transactionProjection({ columns: {}, constants })),
  );
  expect(batch?.rows[0]?.body['amount']).toBe(posted);
});
