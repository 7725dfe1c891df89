/**
 * `risk simulate`: writes seeded synthetic traffic and its labels to files, any size in constant memory. A file
 * gets its name only when it is complete.
 */
import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import {
  type Command,
  type CommandContext,
  EXIT,
  integerOption,
  parseArguments,
  UsageError,
} from '../../kit/command/command.ts';
import { Failure } from '../../kit/words/failure.ts';
import { FORMATS, type Format, labelWriter, type RowWriter, transactionWriter } from './format.ts';
import { type SimulateOptions, simulate } from './simulate.ts';
import type { SimulatedTransaction } from './transaction.ts';

const BY_DEFAULT = {
  transactions: 100_000,
  accounts: 5_000,
  merchants: 1_000,
  days: 30,
  end: '2026-11-01T00:00:00.000Z',
  seed: '1',
  fraudRate: 0.01,
} as const;

const USAGE = `risk simulate --out FILE [--labels FILE] [options]

Writes transactions of accounts with habits, some of them fraudulent by scenario, in time order.
The same seed and options give the same bytes. A name that ends in .gz is compressed.

  --transactions N   rows (${BY_DEFAULT.transactions})
  --accounts N       accounts (${BY_DEFAULT.accounts})
  --merchants N      merchants, at least 16 (${BY_DEFAULT.merchants})
  --days N           length of the period (${BY_DEFAULT.days})
  --end TIME         end of the period, RFC 3339 with a zone (${BY_DEFAULT.end})
  --seed TEXT        another seed, other people (${BY_DEFAULT.seed})
  --fraud-rate R     share of fraudulent rows, 0 to 0.5 (${BY_DEFAULT.fraudRate})
  --out FILE         transactions, as POST /v1/transactions takes them
  --labels FILE      label and scenario of each transaction
  --format FORMAT    csv or ndjson (csv)

Example: risk simulate --transactions 1000000 --out traffic.csv.gz --labels labels.csv.gz
`;

/** Rows joined into one write. */
const ROWS_PER_CHUNK = 256;

type SimulationFiles = {
  readonly out: string;
  readonly labels: string | undefined;
  readonly format: Format;
};

/** How many rows of each scenario were written. */
type SimulationCounts = Record<string, number>;

/** Writes the files; each is one pass of the same seeded rows, at the pace of its disk. */
export async function writeSimulation(
  options: SimulateOptions,
  files: SimulationFiles,
  signal: AbortSignal,
): Promise<SimulationCounts> {
  const counts: SimulationCounts = {};
  const count = (row: SimulatedTransaction) => {
    counts[row.scenario] = (counts[row.scenario] ?? 0) + 1;
  };
  const transactions = chunks(simulate(options), transactionWriter(files.format), count);
  const writes = [writeWhole(files.out, transactions, signal)];
  if (files.labels !== undefined) {
    const labels = chunks(simulate(options), labelWriter(files.format));
    writes.push(writeWhole(files.labels, labels, signal));
  }
  const failed = (await Promise.allSettled(writes)).find((write) => write.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return counts;
}

function* chunks(
  rows: Iterable<SimulatedTransaction>,
  writer: RowWriter,
  onRow?: (row: SimulatedTransaction) => void,
): Generator<string, void> {
  let text = writer.head;
  let held = 0;
  for (const row of rows) {
    text += writer.line(row);
    onRow?.(row);
    if (++held < ROWS_PER_CHUNK) continue;
    yield text;
    text = '';
    held = 0;
  }
  if (text !== '') yield text;
}

async function writeWhole(
  path: string,
  content: Iterable<string>,
  signal: AbortSignal,
): Promise<void> {
  const partial = `${path}.${process.pid}.partial`;
  try {
    const file = createWriteStream(partial);
    if (path.endsWith('.gz')) await pipeline(content, createGzip({ level: 6 }), file, { signal });
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

function parseSimulate(args: string[]): { options: SimulateOptions; files: SimulationFiles } {
  const { values } = parseArguments(args, {
    transactions: { type: 'string' },
    accounts: { type: 'string' },
    merchants: { type: 'string' },
    days: { type: 'string' },
    end: { type: 'string', default: BY_DEFAULT.end },
    seed: { type: 'string', default: BY_DEFAULT.seed },
    'fraud-rate': { type: 'string', default: String(BY_DEFAULT.fraudRate) },
    out: { type: 'string' },
    labels: { type: 'string' },
    format: { type: 'string', default: 'csv' },
  });
  const integer = (
    name: 'transactions' | 'accounts' | 'merchants' | 'days',
    min: number,
    max: number,
  ) => integerOption(`--${name}`, values[name], { min, max }, BY_DEFAULT[name]);
  const endMs = /(Z|[+-]\d{2}:\d{2})$/.test(values.end) ? Date.parse(values.end) : Number.NaN;
  if (Number.isNaN(endMs))
    throw new UsageError(`--end must be a time with a zone, not '${values.end}'`);
  const fraudRate = Number(values['fraud-rate']);
  if (!(fraudRate >= 0 && fraudRate <= 0.5))
    throw new UsageError(`--fraud-rate must be from 0 to 0.5, not '${values['fraud-rate']}'`);
  const format = FORMATS.find((known) => known === values.format);
  if (format === undefined)
    throw new UsageError(`--format must be csv or ndjson, not '${values.format}'`);
  if (values.out === undefined) throw new UsageError('--out is missing');
  return {
    options: {
      transactions: integer('transactions', 1, 1_000_000_000),
      accounts: integer('accounts', 1, 10_000_000),
      merchants: integer('merchants', 16, 10_000_000),
      days: integer('days', 1, 3_650),
      endMs,
      seed: values.seed,
      fraudRate,
    },
    files: { out: values.out, labels: values.labels, format },
  };
}

async function run(args: string[], context: CommandContext): Promise<number> {
  const { options, files } = parseSimulate(args);
  const scenarios = await writeSimulation(options, files, context.signal).catch((error) => {
    if (context.signal.aborted) return undefined;
    throw error;
  });
  if (scenarios === undefined) {
    context.output.note('stopped; no file was left');
    return EXIT.failed;
  }
  const fraudulent = options.transactions - (scenarios['none'] ?? 0);
  context.output.record({
    transactions: options.transactions,
    fraudulent,
    out: files.out,
    labels: files.labels ?? null,
    scenarios,
  });
  return EXIT.fine;
}

export const command: Command = {
  name: 'simulate',
  summary: 'Write seeded synthetic traffic with labelled fraud.',
  usage: USAGE,
  run,
};
