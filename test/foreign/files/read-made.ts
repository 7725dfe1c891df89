/** Reads the files that `make.py` writes, and says how each of them was read. */
import { join } from 'node:path';
import { labelProjection, transactionProjection } from '../../../src/core/domain/file-rows.ts';
import { openSource, type Projection, type Row } from '../../../src/kit/client/rows.ts';

const TRANSACTIONS = transactionProjection({ columns: {}, constants: {} });
const LABELS = labelProjection(
  { columns: { label: 'is_fraud' }, constants: { source: 'bank', labelled_at: 'x' } },
  null,
);

const at = (minute: number, ms: number) => Date.UTC(2026, 10, 20, 9, minute, 30, ms);

/** Payments as each file has them, which spreadsheets show in whole seconds. */
export const paymentsOf = (name: string) => {
  const ms = name.startsWith('sheet') ? 0 : 250;
  return [
    ['k1', 'Müller, Söhne', 'm_1', 12.5, 'EUR', 'DE-EG', at(30, ms), 'fraud'],
    ['k2', 'O"Neill', 'm_2', 1000, 'JPY', 'JP-EG', at(31, ms), 'legitimate'],
    ['k3', '4111111111111111', 'm_3', 0.1, 'EUR', 'DE-EG', at(32, ms), 'legitimate'],
    ['k4', '00123', 'm_4', 125_000.25, 'USD', 'US-EG', at(33, ms), 'fraud'],
  ];
};

/** Files that are taken whole. */
export const TAKEN = [
  ...['pandas.csv', 'pandas-bom.csv', 'pandas-quoted.csv', 'pandas.csv.gz', 'pandas-gaps.csv'],
  ...['pandas.ndjson', 'duckdb.csv', 'duckdb-quoted.csv', 'duckdb.ndjson'],
  ...['polars.csv', 'polars-bom.csv', 'polars.ndjson', 'sheet-utf8.csv', 'sheet-mac.csv'],
];

/** Files that are refused as a whole, with what is said. */
export const REFUSED: readonly (readonly [name: string, said: string])[] = [
  ['pandas-german.csv', 'commas between them, not semicolons (;)'],
  ['duckdb-tabs.csv', 'commas between them, not tabs'],
  ['polars-bars.csv', 'commas between them, not bars (|)'],
  ['sheet-german.csv', 'commas between them, not semicolons (;)'],
  ['sheet-german-utf8.csv', 'commas between them, not semicolons (;)'],
  ['sheet-unicode.txt', 'the text is UTF-16'],
];

/** Files of which some rows are refused: their lines, with what is said of each. */
export const DAMAGED: readonly (readonly [name: string, lines: readonly number[], said: string])[] =
  [
    ['pandas-windows.csv', [2], String.raw`in 'M\xFCller'`],
    ['sheet-windows.csv', [2], String.raw`in 'M\xFCller'`],
    ['pandas-float-ids.csv', [2, 3, 5], "'4333333333333333.0' is what"],
    ['pandas-nan-ids.csv', [3], "'nan' is what"],
    ['duckdb-double-ids.csv', [2, 3, 4, 5], "'4.111111111111111e+16' is what"],
    ['polars-double-ids.csv', [2, 3, 4, 5], "'4.111111111111111e+16' is what"],
    ['sheet-long-ids.csv', [2, 3, 4, 5], "'2-Jan' is what"],
  ];

/** Rows as lists of values, amounts and times as numbers; refused rows by line. */
export async function readMade(folder: string, name: string) {
  const transactions = await readAll(folder, name, TRANSACTIONS);
  const labels = await readAll(folder, name, LABELS);
  const labelOf = new Map(labels.rows.map(({ line, body }) => [line, body['label']]));
  const rows = transactions.rows.map(({ line, body }) => {
    const { amount, created_at: time, ...others } = body;
    const { idempotency_key: key, account_id, merchant_id, currency, corridor } = others;
    const values = [Number(amount), currency, corridor, Date.parse(String(time))];
    return [key, account_id, merchant_id, ...values, labelOf.get(line)];
  });
  return { rows, refused: transactions.refused };
}

async function readAll(folder: string, name: string, projection: Projection) {
  const rows: Row[] = [];
  const refused = new Map<number, string>();
  const source = await openSource(join(folder, name), projection);
  for await (const row of source.rows()) {
    if ('body' in row) rows.push(row);
    else refused.set(row.line, row.detail);
  }
  return { rows, refused };
}
