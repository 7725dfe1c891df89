/** Goal: an export leaves the API's thread and Postgres to submissions. Method: what it hands over and reads, on real rows. */
import { expect, test } from 'vitest';
import { createMetrics } from '../../../../src/kit/metrics/metrics.ts';
import { beginExport, type Exports, runExport } from '../../../../src/rooms/exports/exports.ts';
import { createExportMetrics } from '../../../../src/rooms/exports/metrics.ts';
import { exportParameters } from '../../../../src/rooms/exports/parameters.ts';
import { openTestDatabase } from '../../../support/database.ts';
import { alone, NOVEMBER } from '../../../support/reads.ts';
import { idAt, storeTransactions } from '../../../support/stored-rows.ts';

const ROWS = 2500;

const { testDatabase, database } = await openTestDatabase();
const transactions = Array.from({ length: ROWS }, (_, n) => ({
  ...{ id: idAt(NOVEMBER - n, n), createdAtMs: NOVEMBER - n, score: 1 },
}));
await storeTransactions(database, transactions);

const exportsOf = (isSubmitting: () => boolean): Exports => ({
  databases: alone(database),
  metrics: createExportMetrics(createMetrics().make),
  isOff: () => false,
  ...{ isSubmitting, draining: new AbortController().signal },
  max: 1,
  running: 0,
  endings: new Set(),
});

async function begin(exports: Exports) {
  const by = { name: 'alice', keyId: null, request: 'test' };
  const begun = await beginExport(exports, exports.databases, exportParameters.parse({}), {}, by);
  if (begun === undefined) throw new Error('no export runs');
  return begun;
}

/** Rows of each piece of an export as CSV, without its header. */
async function piecesOf(isSubmitting: () => boolean): Promise<number[]> {
  const exports = exportsOf(isSubmitting);
  const pieces: number[] = [];
  await runExport(exports, await begin(exports), {
    send: async (bytes) => {
      pieces.push(Buffer.from(bytes).toString().split('\r\n').length - 1);
    },
    close: async () => undefined,
    signal: new AbortController().signal,
    isAllowed: async () => true,
  });
  return pieces.slice(1);
}

const sum = (pieces: readonly number[]) => pieces.reduce((all, one) => all + one, 0);

test('pieces are small while transactions are submitted, and large again after', async () => {
  let asked = 0;
  const submitting = await piecesOf(() => true);
  const quiet = await piecesOf(() => false);
  const ending = await piecesOf(() => ++asked < 40);
  expect(Math.max(...submitting)).toBe(100);
  expect(Math.max(...quiet)).toBe(500);
  expect([ending[0], Math.max(...ending)]).toEqual([100, 500]);
  expect([submitting, quiet, ending].map(sum)).toEqual([ROWS, ROWS, ROWS]);
});

test('an export that its reader leaves is ended once its end is in the audit log', async () => {
  const exports = exportsOf(() => true);
  const begun = await begin(exports);
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
