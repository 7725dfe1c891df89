/** Loads by name: several benches offer them, and figures of different days are compared by them. */
import { UsageError } from '../../src/kit/command/command.ts';
import { LIVE_LOAD, type Load, MONTH_LOAD } from './load.ts';

/** Six integrators send these; each waits for its answer. */
const BATCHES: Load = { ...LIVE_LOAD, connections: 6, unmeasured: 20_000 };
export const ONE_CORRIDOR: Load = { ...BATCHES, corridors: 1, accounts: 5000, merchants: 900 };
export const SIX_CORRIDORS: Load = { ...BATCHES, corridors: 6 };

const NAMED_LOADS: Readonly<Record<string, Load>> = {
  'one-corridor': ONE_CORRIDOR,
  'six-corridors': SIX_CORRIDORS,
  'hot-account': { ...SIX_CORRIDORS, hot: 'account' },
  'hot-merchant': { ...SIX_CORRIDORS, hot: 'merchant' },
  'hot-corridor': { ...SIX_CORRIDORS, hot: 'corridor' },
  month: MONTH_LOAD,
};

export const NAMED_LOADS_USAGE = `one-corridor    5,000 accounts and 900 merchants
  six-corridors   20,000 accounts and 5,000 merchants; of these
  hot-account, hot-merchant   one makes a tenth of all transactions
  hot-corridor                one takes nine tenths
  month           all corridors, created_at simulated over four weeks; the others' is now`;

/** Loads of a list option: `one-corridor,six-corridors`. */
export function namedLoads(text: string): { readonly name: string; readonly load: Load }[] {
  return text.split(',').map((name) => {
    const load = NAMED_LOADS[name];
    if (load !== undefined) return { name, load };
    throw new UsageError(`no load '${name}'; there are: ${Object.keys(NAMED_LOADS).join(', ')}`);
  });
}
