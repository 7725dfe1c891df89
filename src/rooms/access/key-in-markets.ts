/** A key in several markets: a row in each, with the same hash, which each market records and revokes as its own. */
import { makeApiKey, revokeApiKey } from '../../kit/access/api-keys.ts';
import { type CommandContext, UsageError } from '../../kit/command/command.ts';
import { byCommand, openCommandDatabase } from '../../kit/command/stores.ts';
import { readConfig } from '../../kit/config/config.ts';
import { configsOfMarkets } from '../../kit/config/market-config.ts';
import { isMarketList } from '../../kit/config/market-settings.ts';
import type { Database } from '../../kit/database/pool.ts';
import { COMMIT_UNKNOWN, Failure, toError } from '../../kit/words/failure.ts';
import type { NewApiKey } from '../../kit/words/identity.ts';

/** Databases by market, in the order of their names: two commands at a time wait for each other in one order. */
type Databases = ReadonlyMap<string, Database>;

/** @param list names with commas between them; undefined: the market of the command */
export function openMarkets(
  { config, environment }: CommandContext,
  list: string | undefined,
): AsyncDisposable & { readonly databases: Databases } {
  const stack = new AsyncDisposableStack();
  const databases = configsFor({ config, environment }, list).map((own) => {
    const database = stack.use(openCommandDatabase({ config: own }, 'keys'));
    return [own.RISK_MARKET, database] as const;
  });
  return { databases: new Map(databases), [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

function configsFor(
  { config, environment }: Pick<CommandContext, 'config' | 'environment'>,
  list: string | undefined,
) {
  if (list === undefined) return [config];
  if (!isMarketList(list)) {
    throw new UsageError(
      `--markets must be different markets, as market_0,market_1, not '${list}'`,
    );
  }
  const names = list.split(',').toSorted();
  const given = { ...environment, RISK_MARKETS: names.join(','), RISK_MARKET: names[0] };
  const read = readConfig(given);
  if ('problems' in read) throw new UsageError(read.problems.join('; '));
  return configsOfMarkets({ ...config, markets: read.config.markets });
}

/**
 * Makes the key in all markets or in none: each market commits only once those after it have. Where a commit fails all the same,
 * the key is revoked in those that have it.
 * @throws Failure that names the market that refused, and each market that may keep the key
 */
export async function makeInEach(databases: Databases, key: NewApiKey): Promise<void> {
  const by = byCommand('keys create');
  const made = new Map<string, Database>();
  let current = '';
  const make = async ([first, ...others]: readonly [string, Database][]): Promise<void> => {
    if (first === undefined) return;
    const [market, database] = first;
    current = market;
    await makeApiKey(database, key, by, async () => {
      await make(others);
      current = market;
    });
    made.set(market, database);
  };
  try {
    await make([...databases]);
  } catch (error) {
    if (databases.size === 1 || !(error instanceof Failure)) throw error;
    const { kind, code, message } = error;
    const unsure = databases.get(current);
    if (unsure !== undefined && code === COMMIT_UNKNOWN) made.set(current, unsure);
    const kept = await revokeInEach(made, key.keyId, true);
    const advice = kept.map(
      (why) => `; revoke the key ${key.keyId}, which nobody knows, in ${why}`,
    );
    const why = `no key was made, as ${current} refused: ${message}${advice.join('')}`;
    throw new Failure(kind, code, why, { cause: error });
  }
}

/**
 * @param mayBeUnknown whether a market without the key is as good as one that has revoked it
 * @returns for each market where the key is not revoked, its name and why
 */
export async function revokeInEach(
  databases: Databases,
  keyId: string,
  mayBeUnknown = false,
): Promise<string[]> {
  const by = byCommand('keys revoke');
  const wrong = Array.from(databases, async ([market, database]): Promise<string[]> => {
    try {
      const isRevoked = (await revokeApiKey(database, keyId, by)) || mayBeUnknown;
      return isRevoked ? [] : [`${market}: no key has the id '${keyId}'`];
    } catch (error) {
      return [`${market}: ${toError(error).message}`];
    }
  });
  return (await Promise.all(wrong)).flat();
}
