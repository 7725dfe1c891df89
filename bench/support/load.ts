/** The traffic that a bench offers: its options, and the generator that sends it. */
import { join } from 'node:path';
import { integerOption, UsageError } from '../../src/cli/command.ts';
import { type GeneratorProcess, startGenerator } from './generator-process.ts';
import type { Pipeline } from './pipeline.ts';

export type Load = {
  /** Transactions a request; 1 posts singly. */
  readonly batch: number;
  readonly transactions: number;
  readonly accounts: number;
  readonly merchants: number;
  /** 12, or 1 for all transactions in one corridor. */
  readonly corridors: number;
  /** Span of created_at. */
  readonly days: number;
  /** Its end, epoch milliseconds; the last UTC midnight where it is not given. */
  readonly endMs?: number;
  readonly connections: number;
  /** Transactions a second; 0 is as fast as they are answered. */
  readonly rate: number;
  readonly seed: string;
  readonly accountsInTurn?: boolean;
  /** Of `Prefer: wait`; single posts only. */
  readonly waitSeconds?: number;
};

export const LOAD_USAGE = `--transactions N   of each run
--accounts N       (20000)      --merchants N  (5000)
--corridors N      12 or 1 (12)
--days N           span of created_at (28)
--end TIME         its end, RFC 3339 (last midnight, UTC): with the seed it decides all of the traffic
--connections N    of the generator
--rate N           transactions a second; 0 is as fast as they are answered
--seed TEXT        of the generated traffic (1)
--set NAME=VALUE   a setting of the API and the workers; may be repeated`;

const TEXT = { type: 'string' } as const;
export const LOAD_OPTIONS = {
  ...{ transactions: TEXT, accounts: TEXT, merchants: TEXT, corridors: TEXT, days: TEXT },
  ...{ connections: TEXT, rate: TEXT, seed: TEXT, end: TEXT },
  set: { type: 'string', multiple: true, default: [] as string[] },
} as const;
type LoadValues = { readonly [Name in Exclude<keyof typeof LOAD_OPTIONS, 'set'>]?: string };

/** Of transactions, connections and rates: beyond what any run could want. */
const MANY = 100_000_000;
export const DAY_MS = 86_400_000;

export const USUAL_LOAD: Load = {
  ...{ batch: 1000, transactions: 500_000, accounts: 20_000, merchants: 5000 },
  ...{ corridors: 12, days: 28, connections: 4, rate: 0, seed: '1' },
};

/** For people: `batches of 1000`. */
export function loadName({ batch }: Pick<Load, 'batch'>): string {
  return batch === 1 ? 'single posts' : `batches of ${batch}`;
}

/** What the command line says, and `defaults` for the rest. */
export function readLoad(values: LoadValues, defaults: Load): Load {
  const integer = (name: Exclude<keyof LoadValues, 'seed' | 'end'>, min: number, max: number) =>
    integerOption(`--${name}`, values[name], { min, max }, defaults[name]);
  return {
    ...defaults,
    transactions: integer('transactions', 1, MANY),
    accounts: integer('accounts', 1, MANY),
    merchants: integer('merchants', 16, MANY),
    corridors: integer('corridors', 1, 12),
    days: integer('days', 1, 365),
    connections: integer('connections', 1, 1000),
    rate: integer('rate', 0, MANY),
    seed: values.seed ?? defaults.seed,
    endMs: values.end === undefined ? lastMidnightMs() : timeOption('--end', values.end),
  };
}

function timeOption(flag: string, text: string): number {
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) throw new UsageError(`${flag} must be an RFC 3339 time, not '${text}'`);
  return ms;
}

export function lastMidnightMs(): number {
  const now = Date.now();
  return now - (now % DAY_MS);
}

/** `--set NAME=VALUE`, over the defaults. */
export function readSettings(
  pairs: readonly string[],
  defaults: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  const given = pairs.map((pair) => [pair.split('=')[0] ?? '', pair.slice(pair.indexOf('=') + 1)]);
  return { ...defaults, ...Object.fromEntries(given) };
}

/** A worker's batches are as large as the client's, so that one write carries as many. */
export function batchSettings(batch: number): Readonly<Record<string, string>> {
  return { RISK_BATCH_ENTRIES: batch >= 1000 ? '1000' : '500' };
}

/** Numbers of a list option: `1000,100,1`. */
export function integerList(flag: string, text: string, min: number, max: number): number[] {
  return text.split(',').map((given) => integerOption(flag, given, { min, max }, min));
}

/** Whom a load is sent to. */
export type Target = Pick<Pipeline, 'folder' | 'apiPort' | 'apiKey'>;

/** Prepares the requests; the clock starts with its `go`. */
export async function startLoad(
  pipeline: Target,
  load: Load,
  signal: AbortSignal,
): Promise<GeneratorProcess> {
  const { batch, corridors, connections, rate, accountsInTurn, waitSeconds } = load;
  const { transactions, accounts, merchants, days, seed } = load;
  const host = '127.0.0.1';
  return await startGenerator(
    {
      ...{ host, port: pipeline.apiPort, connections, requestsPerSecond: rate / batch },
      source: {
        kind: 'traffic',
        file: join(pipeline.folder, `requests-${seed}`),
        ...{ host, apiKey: pipeline.apiKey, batch, accountsInTurn, waitSeconds },
        corridor: corridors === 1 ? 'US-US' : undefined,
        traffic: {
          ...{ transactions, accounts, merchants, days, seed },
          endMs: load.endMs ?? lastMidnightMs(),
          fraudRate: 0.01,
        },
      },
    },
    signal,
  );
}
