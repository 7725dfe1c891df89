/** Labelled payments of a process (CSV files with a README of their own), a day at a time, in time order. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { Failure } from '../../src/kit/words/failure.ts';
import type { Process } from './processes.ts';

export type Payment = {
  /** The transaction's id in the file, which is its idempotency key. */
  readonly id: string;
  readonly createdAt: string;
  readonly customer: string;
  readonly terminal: string;
  readonly amount: string;
  /** Other members of the payment, as the API takes them. */
  readonly members: Readonly<Record<string, unknown>>;
  readonly isFraud: boolean;
};

export type Day = { readonly startMs: number; readonly payments: readonly Payment[] };

/** Columns that are members of a payment, where a file has them. */
const MEMBERS = ['channel', 'device_id', 'ip', 'country'];
const DAY_MS = 86_400_000;
/** The engine refuses these amounts: nothing was paid. */
const NOTHING = /^0*(\.0*)?$/;

/** `2018-08-08`. */
export const dateOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

/** All days; 1.3 million payments take some 400 MB. */
export async function readDays(folder: string, process: Process): Promise<Day[]> {
  const frauds = new Set<string>();
  for await (const cell of readRows(join(folder, process.labels))) {
    if (cell('is_fraud') === '1') frauds.add(cell('transaction_id'));
  }
  const days = new Map<number, Payment[]>();
  for await (const cell of readRows(join(folder, process.payments))) {
    const id = cell('transaction_id');
    const createdAt = cell('created_at');
    const amount = cell('amount');
    if (NOTHING.test(amount)) continue;
    const day = Math.floor(Date.parse(createdAt) / DAY_MS) * DAY_MS;
    const payments = days.get(day) ?? [];
    if (payments.length === 0) days.set(day, payments);
    payments.push({
      ...{ id, createdAt, amount, isFraud: frauds.has(id), members: membersOf(cell, process) },
      customer: cell('customer_id', 'account_id'),
      terminal: cell('terminal_id', 'merchant'),
    });
  }
  return [...days]
    .sort(([one], [other]) => one - other)
    .map(([startMs, payments]) => ({ startMs, payments }));
}

/** The text of a column by any of its names; empty where there is none. */
type Cell = (...names: readonly string[]) => string;

/** Rows of a table, one at a time: all at once take a gigabyte. */
async function* readRows(path: string): AsyncGenerator<Cell> {
  const text = (await promisify(gunzip)(await readFile(path))).toString('latin1');
  const [header = '', ...lines] = text.trimEnd().split('\n');
  const columns = header.split(',');
  if (!columns.includes('transaction_id')) {
    throw new Failure('invalid', 'COLUMNS', `${path} has no column transaction_id`);
  }
  for (const line of lines) {
    const cells = line.split(',');
    yield (...names) => cells[columns.findIndex((column) => names.includes(column))] ?? '';
  }
}

/** Members that the file does not have are absent. */
function membersOf(cell: Cell, { fields }: Process): Payment['members'] {
  const members: Record<string, unknown> = {};
  for (const name of MEMBERS) if (cell(name) !== '') members[name] = cell(name);
  const metadata = Object.entries(fields).flatMap(([name, type]) => {
    const text = cell(name);
    return text === '' ? [] : [[name, type === 'number' ? Number(text) : text]];
  });
  return metadata.length === 0 ? members : { ...members, metadata: Object.fromEntries(metadata) };
}
