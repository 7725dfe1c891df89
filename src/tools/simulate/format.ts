/**
 * Rows of the two files: transactions as the API takes them, and labels beside them. Ids and keys
 * hold letters, digits, `_` and `-` only, so no CSV field needs quoting.
 */
import type { SimulatedTransaction } from './world.ts';

export const FORMATS = ['csv', 'ndjson'] as const;
export type Format = (typeof FORMATS)[number];

type Column = readonly [name: string, read: (row: SimulatedTransaction) => string];

const TRANSACTION_COLUMNS: readonly Column[] = [
  ['idempotency_key', (row) => row.idempotencyKey],
  ['account_id', (row) => row.accountId],
  ['merchant_id', (row) => row.merchantId],
  ['amount', (row) => row.amount],
  ['currency', (row) => row.currency],
  ['corridor', (row) => row.corridor],
  ['created_at', (row) => new Date(row.createdAtMs).toISOString()],
  ['type', (row) => row.type],
  ['ip', (row) => row.ip],
  ['device_id', (row) => row.deviceId],
  ['country', (row) => row.country],
  ['channel', (row) => row.channel],
];

const LABEL_COLUMNS: readonly Column[] = [
  ['idempotency_key', (row) => row.idempotencyKey],
  ['label', (row) => (row.scenario === 'none' ? 'legitimate' : 'fraud')],
  ['labelled_at', (row) => new Date(row.labelledAtMs).toISOString()],
  ['source', () => 'simulation'],
  ['scenario', (row) => row.scenario],
];

export type RowWriter = {
  /** First line of the file; empty for NDJSON. */
  readonly head: string;
  line(row: SimulatedTransaction): string;
};

export const transactionWriter = (format: Format) => rowWriter(format, TRANSACTION_COLUMNS);
export const labelWriter = (format: Format) => rowWriter(format, LABEL_COLUMNS);

function rowWriter(format: Format, columns: readonly Column[]): RowWriter {
  if (format === 'csv') {
    return {
      head: `${columns.map(([name]) => name).join(',')}\n`,
      line: (row) => `${columns.map(([, read]) => read(row)).join(',')}\n`,
    };
  }
  return {
    head: '',
    line: (row) =>
      `${JSON.stringify(Object.fromEntries(columns.map(([name, read]) => [name, read(row)])))}\n`,
  };
}
