/** Goal: a foreign file becomes exactly the rows the API knows, and a broken row spoils no other. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { transactionProjection } from '../../../../src/core/domain/file-rows.ts';
import {
  batched,
  openSource,
  type RowBatch,
  type SourceFile,
} from '../../../../src/kit/client/rows.ts';

const PLAIN = transactionProjection({ columns: {}, constants: {} });
const REQUIRED = {
  account_id: 'a',
  merchant_id: 'm',
  amount: '1',
  currency: 'USD',
  corridor: 'US-US',
};
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'replay-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

async function readAll(source: SourceFile, rowsPerBatch = 10): Promise<RowBatch[]> {
  const batches: RowBatch[] = [];
  for await (const batch of batched(source.rows(), rowsPerBatch)) batches.push(batch);
  return batches;
}

test('openSource maps foreign columns, sets constants and sends nothing unknown', async () => {
  const path = join(folder, 'foreign.csv.gz');
  writeFileSync(
    path,
    gzipSync(
      '\ufefftransaction_id,customer,terminal,amount,noise\n7,"c, 1",t1,40.35,x\n8,c2,t2,1.00\n9,c3,t3,,\n',
    ),
  );
  const source = await openSource(
    path,
    transactionProjection({
      columns: {
        idempotency_key: 'transaction_id',
        account_id: 'customer',
        merchant_id: 'terminal',
      },
      constants: { currency: 'USD', corridor: 'US-US' },
    }),
  );
  const batches = await readAll(source);
  const constants = { currency: 'USD', corridor: 'US-US' };
  expect(batches).toEqual([
    {
      rows: [
        {
          line: 2,
          body: {
            ...constants,
            idempotency_key: '7',
            account_id: 'c, 1',
            merchant_id: 't1',
            amount: '40.35',
          },
        },
        {
          line: 4,
          body: { ...constants, idempotency_key: '9', account_id: 'c3', merchant_id: 't3' },
        },
      ],
      unreadable: [{ line: 3, detail: 'has 4 cells, the header has 5' }],
    },
  ]);
});

test('openSource reads NDJSON, and a line that is not an object is one bad row', async () => {
  const path = join(folder, 'rows.ndjson');
  writeFileSync(
    path,
    '{"idempotency_key":"k","amount":"1.0","extra":1}\nnot json\n\n{"idempotency_key":"l"}',
  );
  const source = await openSource(path, PLAIN);
  expect(await readAll(source)).toEqual([
    {
      rows: [
        { line: 1, body: { idempotency_key: 'k', amount: '1.0' } },
        { line: 4, body: { idempotency_key: 'l' } },
      ],
      unreadable: [{ line: 2, detail: 'is not a JSON object' }],
    },
  ]);
});

test('openSource names the column a file lacks and says how to give it', async () => {
  const path = join(folder, 'lacking.csv');
  writeFileSync(path, 'idempotency_key,account_id,amount\nk,a,1\n');
  const source = await openSource(path, PLAIN);
  await expect(readAll(source)).rejects.toThrow("no column 'merchant_id'");
});

test('openSource reports a broken archive as a failure, not as an end', async () => {
  const path = join(folder, 'rows.csv.gz');
  const whole = gzipSync(`idempotency_key\n${'k\n'.repeat(50_000)}`);
  writeFileSync(path, whole.subarray(0, whole.length - 40));
  const source = await openSource(
    path,
    transactionProjection({ columns: {}, constants: REQUIRED }),
  );
  await expect(readAll(source)).rejects.toThrow('cannot read the file');
});
