/** The published labelled payments (a CSV with its own README beside it), a day at a time, in time order. */
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { Failure } from '../../src/kit/words/failure.ts';

export type Payment = {
  /** The transaction's id in the file, which is its idempotency key. */
  readonly id: string;
  readonly createdAt: string;
  readonly customer: string;
  readonly terminal: string;
  readonly amount: string;
  readonly isFraud: boolean;
};

export type Day = { readonly startMs: number; readonly payments: readonly Payment[] };

const COLUMNS = [
  'transaction_id',
  'created_at',
  'customer_id',
  'terminal_id',
  'amount',
  'is_fraud',
];
const DAY_MS = 86_400_000;
/** The engine refuses these amounts: nothing was paid. */
const NOTHING = /^0*(\.0*)?$/;

/** All days of the file; 1.3 million payments take some 300 MB. */
export async function readDays(path: string): Promise<Day[]> {
  const text = (await promisify(gunzip)(await readFile(path))).toString('latin1');
  const lines = text.split('\n');
  if (!lines[0]?.startsWith(COLUMNS.join(','))) {
    throw new Failure('invalid', 'COLUMNS', `${path} does not begin with ${COLUMNS.join(',')}`);
  }
  const days = new Map<number, Payment[]>();
  for (const line of lines.slice(1)) {
    const [id = '', createdAt = '', customer = '', terminal = '', amount = '', fraud] =
      line.split(',');
    if (id === '' || NOTHING.test(amount)) continue;
    const day = Math.floor(Date.parse(createdAt) / DAY_MS) * DAY_MS;
    const payments = days.get(day) ?? [];
    if (payments.length === 0) days.set(day, payments);
    payments.push({ id, createdAt, customer, terminal, amount, isFraud: fraud === '1' });
  }
  return [...days]
    .sort(([one], [other]) => one - other)
    .map(([startMs, payments]) => ({ startMs, payments }));
}
