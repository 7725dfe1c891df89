/**
 * `risk simulate`: writes seeded synthetic traffic and its labels to files, any size in constant memory. A file
 * gets its name only when all rows are written.
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
  unlessStopped,
} from '../../kit/command/command.ts';
import { Failure } from '../../kit/words/failure.ts';
import { labelLine, transactionLine } from './format.ts';
import { type SimulateOptions, simulate } from './simulate.ts';
import type { SimulatedTransaction } from './world.ts';

const BY_DEFAULT = {
  transactions: 100_000,
  accounts: 5_000,
  merchants: 1_000,
  days: 30,
  end: '2026-11-01T00:00:00.000Z',
  seed: '1',
  fraudRate: 0.01,
} as const;

const COUNTS = {
  transactions: { min: 1, max: 1_000_000_000 },
  accounts: { min: 1, max: 10_000_000 },
  merchants: { min: 16, max: 10_000_000 },
  days: { min: 1, max: 3_650 },
} as const;

const USAGE = `risk simulate --out FILE [--labels FILE] [options]

Writes transactions of accounts with habits, some of them fraudulent by scenario, in time order, as NDJSON.
The same seed and options give the same bytes. A name that ends in .gz is compressed. A label is known
one to six days after its transaction; labels that nobody knows by now are left out.

  --transactions N   rows (${BY_DEFAULT.transactions})
  --accounts N       accounts (${BY_DEFAULT.accounts})
  --merchants N      merchants, at least 16 (${BY_DEFAULT.merchants})
  --days N           length of the period (${BY_DEFAULT.days})
  --end TIME         end of the period, RFC 3339 with a zone (${BY_DEFAULT.end})
  --seed TEXT        another seed, other people (${BY_DEFAULT.seed})
  --fraud-rate R     share of fraudulent rows, 0 to 0.5 (${BY_DEFAULT.fraudRate})
  --out FILE         transactions, as POST /v1/transactions takes them
  --labels FILE      label and scenario of each transaction

Example: risk simulate --transactions 1000000 --out traffic.ndjson.gz --labels labels.ndjson.gz
`;

/** Rows joined into one write. */
const ROWS_PER_CHUNK = 256;

type SimulationFiles = {
  readonly out: string;
  readonly labels: string | undefined;
  /** Epoch milliseconds: labels that are known later are left out; without it none is. */
  readonly knownByMs?: number;
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
  const transactions = chunks(simulate(options), transactionLine, count);
  const writes = [writeWhole(files.out, transactions, signal)];
  if (files.labels !== undefined) {
    const rows = knownBy(files.knownByMs ?? Infinity, simulate(options));
    const labels = chunks(rows, labelLine);
    writes.push(writeWhole(files.labels, labels, signal));
  }
  const failed = (await Promise.allSettled(writes)).find((write) => write.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return counts;
}

function* knownBy(timeMs: number, rows: Iterable<SimulatedTransaction>) {
  for (const row of rows) if (row.labelledAtMs <= timeMs) yield row;
}

function* chunks(
  rows: Iterable<SimulatedTransaction>,
  lineOf: (row: SimulatedTransaction) => string,
  onRow?: (row: SimulatedTransaction) => void,
): Generator<string, void> {
  let text = '';
  let joined = 0;
  for (const row of rows) {
    text += lineOf(row);
    onRow?.(row);
    if (++joined < ROWS_PER_CHUNK) continue;
    yield text;
    text = '';
    joined = 0;
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

function parseSimulate(args: string[]): { options: SimulateOptions; files: SimulationFiles } {
  const text = { type: 'string' } as const;
  const { values } = parseArguments(args, {
    transactions: text,
    accounts: text,
    merchants: text,
    days: text,
    end: { ...text, default: BY_DEFAULT.end },
    seed: { ...text, default: BY_DEFAULT.seed },
    'fraud-rate': { ...text, default: String(BY_DEFAULT.fraudRate) },
    out: text,
    labels: text,
  });
  const integer = (name: keyof typeof COUNTS) =>
    integerOption(`--${name}`, values[name], COUNTS[name], BY_DEFAULT[name]);
  const { end, out, labels, 'fraud-rate': rate } = values;
  const endMs = /(Z|[+-]\d{2}:\d{2})$/.test(end) ? Date.parse(end) : Number.NaN;
  if (Number.isNaN(endMs)) throw new UsageError(`--end must be a time with a zone, not '${end}'`);
  const fraudRate = Number(rate);
  if (!(fraudRate >= 0 && fraudRate <= 0.5))
    throw new UsageError(`--fraud-rate must be from 0 to 0.5, not '${rate}'`);
  if (out === undefined) throw new UsageError('--out is missing');
  return {
    options: {
      transactions: integer('transactions'),
      accounts: integer('accounts'),
      merchants: integer('merchants'),
      days: integer('days'),
      endMs,
      seed: values.seed,
      fraudRate,
    },
    files: { out, labels, knownByMs: Date.now() },
  };
}

async function run(args: string[], context: CommandContext): Promise<number> {
  const { options, files } = parseSimulate(args);
  const writing = writeSimulation(options, files, context.signal);
  const scenarios = await unlessStopped(context, 'no file was left', writing);
  if (scenarios === undefined) return EXIT.failed;
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
  summary: 'Writes seeded synthetic traffic with labelled fraud.',
  usage: USAGE,
  run,
};
