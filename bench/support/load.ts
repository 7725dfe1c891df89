/** The traffic that a bench offers: its options, and the generator that sends it. */
import { join } from 'node:path';
import { integerOption, UsageError } from '../../src/kit/command/command.ts';
import type { Settings } from './bench.ts';
import { daysOf } from './day.ts';
import { type GeneratorProcess, startGenerator } from './generator-process.ts';
import type { Pipeline } from './pipeline.ts';
import type { PreparedRequests, RequestsOptions } from './requests.ts';
import type { Hot, Order, Traffic } from './traffic.ts';

export type Load = {
  /** Transactions a request, on average; 1 posts singly. */
  readonly batch: number;
  /** Population and requests are those of a production day (day.ts). */
  readonly day?: boolean;
  readonly transactions: number;
  /** Sent before the clock starts, for code that is compiled and caches that fill. */
  readonly unmeasured: number;
  readonly accounts: number;
  readonly merchants: number;
  /** How many of the twelve seeded corridors the load uses. */
  readonly corridors: number;
  /** Takes all transactions of the load. */
  readonly corridor?: string;
  /** An account or merchant that takes a share of all transactions, far above its usual one. */
  readonly hot?: Hot;
  /** Share of simulated fraud, 0.01 unless it is given. */
  readonly fraudRate?: number;
  /** `created_at` is when a request is sent, or due where there is a rate; else it is simulated. */
  readonly live: boolean;
  /** Span of simulated times. */
  readonly days: number;
  /** End of that span, epoch milliseconds; absent: the last UTC midnight. */
  readonly endMs?: number;
  readonly connections: number;
  /** Transactions a second; 0 is as fast as they are answered. */
  readonly rate: number;
  /** Transactions without a known score, above which nothing is posted. */
  readonly aheadMax?: number;
  /** The generator stops after so long, whatever is left to send. */
  readonly seconds?: number;
  readonly seed: string;
  /** Seed of the parties' habits, `seed` unless it is given: the unmeasured part of a load has another seed. */
  readonly habits?: string;
  readonly accountsInTurn?: boolean;
  /** Exponent of Zipf's law by which parties are drawn. */
  readonly drawnBy?: number;
  /** As many merchants are drawn, in place of `merchants`, and by this exponent in place of `drawnBy`. */
  readonly merchantsDrawn?: number;
  readonly merchantsDrawnBy?: number;
  /** Drawn accounts have devices, addresses and numbers of their own (traffic.ts). */
  readonly ownParties?: boolean;
  /** How the transactions lie in the file that is posted. */
  readonly order?: Order;
  /** The wait of `Prefer: wait`, by which single posts ask for their score. */
  readonly waitSeconds?: number;
};

export const LOAD_USAGE = `--transactions N   of each run
--unmeasured N     sent before it
--accounts N       --merchants N      --corridors N (1 to 12)
--days N           simulates so many days of created_at; a bench says whether its times are simulated or live
--end TIME         their end, RFC 3339 (last midnight, UTC): with the seed it decides all of the traffic
--connections N    of the generator
--rate N           transactions a second; 0 is as fast as they are answered
--seed TEXT        of the generated traffic (1)
--set NAME=VALUE   a setting of the API and the workers, printed with the report; may be repeated`;

const TEXT = { type: 'string' } as const;
export const LOAD_OPTIONS = {
  ...{ transactions: TEXT, unmeasured: TEXT, accounts: TEXT, merchants: TEXT, corridors: TEXT },
  ...{ days: TEXT, connections: TEXT, rate: TEXT, seed: TEXT, end: TEXT },
  set: { type: 'string', multiple: true, default: [] as string[] },
} as const;
type LoadValues = { readonly [Name in Exclude<keyof typeof LOAD_OPTIONS, 'set'>]?: string };

/** Bounds on transactions, connections and rates: beyond any useful run. */
const MANY = 100_000_000;
export const DAY_MS = 86_400_000;

/** Four weeks of all corridors as fast as they are answered, as a file that is replayed. */
export const MONTH_LOAD: Load = {
  ...{ batch: 1000, transactions: 500_000, unmeasured: 0, accounts: 20_000, merchants: 5000 },
  ...{ corridors: 12, live: false, days: 28, connections: 4, rate: 0, seed: '1' },
};

/** Traffic of all corridors as it happens. */
export const LIVE_LOAD: Load = { ...MONTH_LOAD, live: true };

/** For people: `batches of 1000`. */
export function loadName({ batch, day = false }: Pick<Load, 'batch' | 'day'>): string {
  if (day) return 'requests of 1 to 1000';
  return batch === 1 ? 'single posts' : `batches of ${batch}`;
}

/** Options from the command line; `defaults` fill the gaps. */
export function readLoad(values: LoadValues, defaults: Load): Load {
  const integer = (name: Exclude<keyof LoadValues, 'seed' | 'end'>, min: number, max: number) =>
    integerOption(`--${name}`, values[name], { min, max }, defaults[name]);
  const transactions = integer('transactions', 1, MANY);
  // A day is as dense whatever its length.
  const days = defaults.day === true ? daysOf(transactions) : defaults.days;
  return {
    ...defaults,
    transactions,
    unmeasured: integer('unmeasured', 0, MANY),
    accounts: integer('accounts', 1, MANY),
    merchants: integer('merchants', 16, MANY),
    corridors: integer('corridors', 1, 12),
    days: integerOption('--days', values.days, { min: 1, max: 365 }, days),
    live: defaults.live && values.days === undefined && values.end === undefined,
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

/** `--set NAME=VALUE`. */
export function readSettings(pairs: readonly string[]): Settings {
  return Object.fromEntries(
    pairs.map((pair) => [pair.split('=')[0] ?? '', pair.slice(pair.indexOf('=') + 1)]),
  );
}

/** Numbers of a list option: `1000,100,1`. */
export function integerList(flag: string, text: string, min: number, max: number): number[] {
  return text.split(',').map((given) => integerOption(flag, given, { min, max }, min));
}

/** The system that a load is sent to. */
export type Target = Pick<Pipeline, 'folder' | 'apiPort' | 'apiKey'>;

/** Requests name the host and not the port, so all systems get the same bytes. */
const HOST = '127.0.0.1';

const FRAUD_RATE = 0.01;

/** The transactions of a load. */
export function trafficOf(load: Load): Traffic {
  const { day, corridors, corridor, hot, accountsInTurn, drawnBy, habits } = load;
  const { merchantsDrawn, merchantsDrawnBy, ownParties, order } = load;
  const { transactions, accounts, merchants, days, seed, fraudRate = FRAUD_RATE } = load;
  return {
    ...{
      day,
      corridors,
      corridor,
      hot,
      accountsInTurn,
      drawnBy,
      habits,
      merchantsDrawn,
      merchantsDrawnBy,
      ownParties,
      order,
    },
    traffic: {
      ...{ transactions, accounts, merchants, days, seed },
      endMs: load.endMs ?? lastMidnightMs(),
      fraudRate,
    },
  };
}

/** The source of a load's requests, written to a file of `folder`. */
export function requestsOf(load: Load, { folder, apiKey }: Omit<Target, 'apiPort'>) {
  const { batch, waitSeconds, seed } = load;
  return {
    ...{ file: join(folder, `requests-${seed}`), host: HOST, apiKey, batch, waitSeconds },
    ...trafficOf(load),
  } satisfies RequestsOptions;
}

/**
 * Prepares the requests; the clock starts with its `go`.
 * @param prepared requests of this load that were made before, for a system they were not sent to
 */
export async function startLoad(
  target: Target,
  load: Load,
  signal: AbortSignal,
  prepared?: PreparedRequests,
): Promise<GeneratorProcess> {
  const { batch, connections, rate, live, seconds, aheadMax } = load;
  return await startGenerator(
    {
      ...{ host: HOST, port: target.apiPort, connections, requestsPerSecond: rate / batch },
      ...{ live, seconds, aheadMax },
      source:
        prepared === undefined
          ? { kind: 'traffic', ...requestsOf(load, target) }
          : { kind: 'written', file: prepared.file, offsets: [...prepared.offsets] },
    },
    signal,
  );
}
