/** Loads by name: several benches offer them, and figures of different days are compared by them. */
import { UsageError } from '../../src/kit/command/command.ts';
import { daysOf, REQUEST_TRANSACTIONS } from './day.ts';
import { LIVE_LOAD, type Load, MONTH_LOAD } from './load.ts';

/** Six integrators send these; each waits for its answer. */
const BATCHES: Load = { ...LIVE_LOAD, connections: 6, unmeasured: 20_000 };
export const ONE_CORRIDOR: Load = { ...BATCHES, corridors: 1, accounts: 5000, merchants: 900 };
export const SIX_CORRIDORS: Load = { ...BATCHES, corridors: 6 };

const DAY_SECONDS = 600;
/** Beyond what the engine takes here, so that a day ends by its time; with more, preparing it takes longer and nothing else changes. */
const DAY_PER_SECOND_MAX = 12_000;
/** Five simulated days: with fewer, merchants have no usual hour yet, and each busy one is taken for a collector of mules. */
const DAY_UNMEASURED = 250_000;
/** Single posts want a decision. Without a wait the API, which takes more than a worker scores, fills the streams for ten minutes. */
const DAY_WAIT_SECONDS = 5;
/** Share of simulated fraud at which the default rules flag 2 to 5 %. */
const DAY_FRAUD_RATE = 0.1;

/** A production day, replayed for so long as fast as it is answered. */
export function dayLoad(seconds: number = DAY_SECONDS): Load {
  const transactions = DAY_PER_SECOND_MAX * seconds;
  return {
    ...{ ...MONTH_LOAD, day: true, batch: REQUEST_TRANSACTIONS, connections: 32 },
    waitSeconds: DAY_WAIT_SECONDS,
    ...{ transactions, unmeasured: DAY_UNMEASURED, seconds, days: daysOf(transactions) },
    ...{ accounts: 200_000, merchants: 10_000, fraudRate: DAY_FRAUD_RATE },
  };
}

const NAMED_LOADS: Readonly<Record<string, Load>> = {
  day: dayLoad(),
  'one-corridor': ONE_CORRIDOR,
  'six-corridors': SIX_CORRIDORS,
  'hot-account': { ...SIX_CORRIDORS, hot: 'account' },
  'hot-merchant': { ...SIX_CORRIDORS, hot: 'merchant' },
  'hot-corridor': { ...SIX_CORRIDORS, hot: 'corridor' },
  month: MONTH_LOAD,
};

export const NAMED_LOADS_USAGE = `day             200,000 accounts and 10,000 merchants of twelve corridors of unequal size, requests of
                  1 (which wait for their score) to 1,000, for ten minutes; created_at simulated, 50,000 a day
  one-corridor    5,000 accounts and 900 merchants
  six-corridors   20,000 accounts and 5,000 merchants; of these
  hot-account, hot-merchant   one makes a tenth of all transactions
  hot-corridor                one takes nine tenths
  month           all corridors, created_at simulated over four weeks; that of the rest is now`;

/** Loads of a list option: `one-corridor,six-corridors`. */
export function namedLoads(text: string): { readonly name: string; readonly load: Load }[] {
  return text.split(',').map((name) => {
    const load = NAMED_LOADS[name];
    if (load !== undefined) return { name, load };
    throw new UsageError(`no load '${name}'; there are: ${Object.keys(NAMED_LOADS).join(', ')}`);
  });
}
