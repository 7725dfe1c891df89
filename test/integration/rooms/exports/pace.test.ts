/** Goal: an export leaves the API's thread and Postgres to submissions. Method: what it hands over and reads, on real rows. */
import { parquetMetadata } from 'hyparquet';
import { expect, test } from 'vitest';
import type { Copy } from '../../../../src/kit/database/copy.ts';
import type { Database } from '../../../../src/kit/database/pool.ts';
import { createMetrics } from '../../../../src/kit/metrics/metrics.ts';
import {
  beginExport,
  type Exports,
  runExport,
  writeBody,
} from '../../../../src/rooms/exports/exports.ts';
import { createExportMetrics } from '../../../../src/rooms/exports/metrics.ts';
import { exportParameters } from '../../../../src/rooms/exports/parameters.ts';
import { prepareExport, SLICE_BYTES_MAX } from '../../../../src/rooms/exports/read-rows.ts';
import { createTestDatabase, openTestDatabase } from '../../../support/database.ts';
import { alone, NOVEMBER } from '../../../support/reads.ts';
import { idAt, storeTransactions } from '../../../support/stored-rows.ts';

const ROWS = 2500;

const { testDatabase, database } = await openTestDatabase();
const transactions = Array.from({ length: ROWS }, (_, n) => ({
  ...{ id: idAt(NOVEMBER - n, n), createdAtMs: NOVEMBER - n, score: 1 },
}));
await storeTransactions(database, transactions);

const exportsOf = (isSubmitting: () => boolean, primary = database): Exports => ({
  databases: alone(primary),
  metrics: createExportMetrics(createMetrics().make),
  isOff: () => false,
  ...{ isSubmitting, draining: new AbortController().signal },
  max: 1,
  running: 0,
  endings: new Set(),
});

async function begin(exports: Exports, format: string) {
  const by = { name: 'alice', keyId: null, request: 'test' };
  const asked = exportParameters.parse({ format });
  const begun = await beginExport(exports, exports.databases, asked, {}, by);
  if (begun === undefined) throw new Error('no export runs');
  return begun;
}

/** Rows of each piece of an export, without the header or the last line. */
async function piecesOf(format: string, isSubmitting: () => boolean): Promise<number[]> {
  const exports = exportsOf(isSubmitting);
  const pieces: number[] = [];
  await runExport(exports, await begin(exports, format), {
    send: async (bytes) => {
      pieces.push(Buffer.from(bytes).toString().split('\n').length - 1);
    },
    close: async () => undefined,
    signal: new AbortController().signal,
    isAllowed: async () => true,
  });
  return format === 'csv' ? pieces.slice(1) : pieces.slice(0, -1);
}

const sum = (pieces: readonly number[]) => pieces.reduce((all, one) => all + one, 0);

test.each([
  { format: 'ndjson', small: 100, large: 500, asks: 40 },
  // A slice of CSV is a single piece, as its bytes cost little. The first slice has at most 500 rows.
  { format: 'csv', small: 1000, large: 2000, asks: 4 },
])(
  'pieces of $format are small while transactions are submitted, and large again after',
  async ({ format, small, large, asks }) => {
    let asked = 0;
    const submitting = await piecesOf(format, () => true);
    const quiet = await piecesOf(format, () => false);
    const ending = await piecesOf(format, () => ++asked < asks);
    expect(Math.max(...submitting)).toBe(small);
    expect(Math.max(...quiet)).toBe(large);
    expect(ending[0]).toBe(submitting[0]);
    expect(Math.max(...ending)).toBeGreaterThan(small);
    expect([submitting, quiet, ending].map(sum)).toEqual([ROWS, ROWS, ROWS]);
  },
);

test('a slice is read once the slice before is taken, so that an export rests for the time of reading, too', async () => {
  let [read, taken] = [0, 0];
  const counted: Database = {
    ...database,
    copyTransaction: (work) => {
      read++;
      return database.copyTransaction(work);
    },
  };
  const exports = exportsOf(() => false, counted);
  await runExport(exports, await begin(exports, 'csv'), {
    send: async () => {
      expect(read).toBe(taken++);
    },
    close: async () => undefined,
    signal: new AbortController().signal,
    isAllowed: async () => true,
  });
  expect(taken).toBeGreaterThan(2);
});

test('an export that its reader leaves is ended once its end is in the audit log', async () => {
  const exports = exportsOf(() => true);
  const begun = await begin(exports, 'csv');
  const left = new AbortController();
  const running = runExport(exports, begun, {
    send: async () => left.abort(new Error('the reader has gone')),
    close: async () => undefined,
    signal: left.signal,
    isAllowed: async () => true,
  });
  let cause = '';
  running.catch((error: unknown) => {
    cause = String(error);
  });
  await Promise.allSettled(exports.endings);
  expect(cause).toBe('Error: the reader has gone');
  const [end] = await testDatabase.sql<{ after: object }>(
    `select after from audit_log where action = 'export.end' and subject = $1`,
    [begun.exportId],
  );
  expect(end?.after).toEqual({ outcome: 'broken_off', rows: 0 });
});

test('long rows come in short slices, and in short row groups of Parquet', async () => {
  await using other = await createTestDatabase();
  await using its = other.open();
  const ROWS_LONG = 4_000;
  await storeTransactions(
    its,
    Array.from({ length: ROWS_LONG }, (_, n) => ({ id: idAt(NOVEMBER, n), createdAtMs: NOVEMBER })),
  );
  await other.sql(
    `update transactions set metadata = jsonb_build_object('note', repeat('x', 4000))`,
  );
  await other.sql('analyze transactions');
  /** Bytes of each slice. */
  const sizes: number[] = [];
  const spied = (copy: Copy): Copy => ({
    ...copy,
    lines: async (text, values, take) => {
      let bytes = 0;
      await copy.lines(text, values, (line) => {
        bytes += line.length;
        take(line);
      });
      sizes.push(bytes);
    },
  });
  const primary: Database = {
    ...its,
    copyTransaction: (work) => its.copyTransaction((query, copy) => work(query, spied(copy))),
  };
  const asked = exportParameters.parse({ format: 'parquet' });
  const body = writeBody(
    await prepareExport(alone(primary), asked),
    asked,
    new AbortController().signal,
  );
  const bytes = Buffer.concat(await Array.fromAsync(body, (piece) => piece.bytes.slice()));
  expect(Math.max(...sizes)).toBeLessThan(1.2 * SLICE_BYTES_MAX);
  const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
  const groups = parquetMetadata(file as ArrayBuffer).row_groups.map((one) => Number(one.num_rows));
  expect(groups.reduce((sum, rows) => sum + rows, 0)).toBe(ROWS_LONG);
  expect(Math.max(...groups)).toBeLessThan(1_600);
});
