/**
 * `risk simulate`: writes seeded synthetic traffic and its labels to files, any size in constant memory. A file
 * gets its name only when all rows are written.
 */
import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { UsageError, unlessStopped } from '../../kit/command/command.ts';
import { needed, whole } from '../../kit/command/options.ts';
import { commandOf, written } from '../../kit/command/rows.ts';
import { Failure } from '../../kit/words/failure.ts';
import {
  labelLine,
  type SimulatedTransaction,
  type SimulateOptions,
  simulate,
  transactionLine,
} from './simulate.ts';

const FIXED = { merchants: 1_000, fraudRate: 0.01 };
const END = '2026-11-01T00:00:00.000Z';

const OPTIONS = {
  '--transactions N': whole('Rows', { min: 1, max: 1_000_000_000 }, 100_000),
  '--accounts N': whole('Accounts', { min: 1, max: 10_000_000 }, 5_000),
  '--days N': whole('Length of the period', { min: 1, max: 3_650 }, 30),
  '--end TIME': {
    says: `End of the period, RFC 3339 with a zone (${END})`,
    read: (flag: string, text = END) => {
      const endMs = /(Z|[+-]\d{2}:\d{2})$/.test(text) ? Date.parse(text) : Number.NaN;
      if (!Number.isNaN(endMs)) return endMs;
      throw new UsageError(`${flag} must be a time with a zone, not '${text}'`);
    },
  },
  '--seed TEXT': 'Another seed, other people (1)',
  '--out FILE': needed('Transactions, as POST /v1/transactions takes them'),
  '--labels FILE': 'Label and scenario of each transaction',
} as const;

/** Rows joined into one write. */
const ROWS_PER_CHUNK = 256;

type SimulationFiles = {
  readonly out: string;
  readonly labels: string | undefined;
  /** Epoch milliseconds: transactions of other times, and labels that are known at other times, are left out. */
  readonly fromMs?: number;
  readonly toMs?: number;
  /** Labels that are known later are left out, too. */
  readonly knownByMs?: number;
};

/** Writes the files; each is one pass of the same seeded rows, at the pace of its disk. */
export async function writeSimulation(
  options: SimulateOptions,
  { out, labels, fromMs = -Infinity, toMs = Infinity, knownByMs = toMs }: SimulationFiles,
  signal: AbortSignal,
): Promise<void> {
  const isWithin = (atMs: number) => fromMs <= atMs && atMs < toMs;
  const rowOf = (row: SimulatedTransaction) =>
    isWithin(row.createdAtMs) ? transactionLine(row) : '';
  const labelOf = (row: SimulatedTransaction) =>
    isWithin(row.labelledAtMs) && row.labelledAtMs <= knownByMs ? labelLine(row) : '';
  const writes = [writeWhole(out, chunks(options, rowOf), signal)];
  if (labels !== undefined) writes.push(writeWhole(labels, chunks(options, labelOf), signal));
  const failed = (await Promise.allSettled(writes)).find((write) => write.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

function* chunks(
  options: SimulateOptions,
  lineOf: (row: SimulatedTransaction) => string,
): Generator<string, void> {
  let text = '';
  let joined = 0;
  for (const row of simulate(options)) {
    text += lineOf(row);
    if (++joined % ROWS_PER_CHUNK !== 0) continue;
    yield text;
    text = '';
  }
  yield text;
}

async function writeWhole(
  path: string,
  content: Iterable<string>,
  signal: AbortSignal,
): Promise<void> {
  const partial = `${path}.${process.pid}.partial`;
  try {
    const file = createWriteStream(partial);
    // A higher level compresses by a fifth more, and takes a third longer for the whole file.
    if (path.endsWith('.gz')) await pipeline(content, createGzip({ level: 1 }), file, { signal });
    else await pipeline(content, file, { signal });
    await rename(partial, path);
  } catch (error) {
    await rm(partial, { force: true });
    if (error instanceof Error && 'syscall' in error) {
      throw new Failure('permanent', 'FILE_UNWRITABLE', error.message);
    }
    throw error;
  }
}

const WRITES =
  'Writes transactions of accounts with habits, 1 % of them fraudulent by scenario, in time order, as NDJSON';
const write = written('', WRITES, OPTIONS, async ({ values }, context) => {
  const { out, labels, end: endMs, seed = '1', ...counts } = values;
  const options = { ...FIXED, ...counts, endMs, seed };
  const { transactions } = counts;
  const writing = writeSimulation(options, { out, labels, knownByMs: Date.now() }, context.signal);
  await unlessStopped(context, 'no file was left', writing);
  const fraudulent = Math.round(transactions * FIXED.fraudRate);
  context.output.record({ transactions, fraudulent, out, labels: labels ?? null });
});

export const command = commandOf({
  name: 'simulate',
  summary: 'Writes seeded synthetic traffic with labelled fraud.',
  notes: `The same seed and options give the same bytes. A name that ends in .gz is compressed. A label is known one to six days after its
transaction; labels that nobody knows by now are left out.

Example: risk simulate --transactions 1000000 --out traffic.ndjson.gz --labels labels.ndjson.gz`,
  actions: { '': write },
});
