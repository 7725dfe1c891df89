/**
 * The markets that a process serves, and the stores that a market has for itself: MARKET_1_DATABASE_URL is the DATABASE_URL of
 * market_1 alone.
 */
import { z } from 'zod';

type Given = Readonly<Record<string, string | undefined>>;

const MARKET = /^[a-z][a-z0-9_]{0,30}$/;
const BY_DEFAULT = 'market_0';
/** More markets leave too few connections to each; fewer ask for more API processes. */
const MARKETS_MAX = 16;
const STORES: readonly string[] = ['DATABASE_URL', 'DATABASE_REPLICA_URL', 'REDIS_URL'];

export const isMarketName = (text: string) => MARKET.test(text);

/** Whether a text is names of different markets with commas between them. */
export function isMarketList(text: string): boolean {
  const names = text.split(',');
  const isShort = names.length <= MARKETS_MAX;
  return isShort && names.every(isMarketName) && new Set(names).size === names.length;
}

export const marketName = z
  .string()
  .refine(isMarketName, { error: ({ input }) => `must be as market_0, not '${input}'` })
  .default(BY_DEFAULT);
export const marketList = z.string().refine(isMarketList, {
  error: `must be up to ${MARKETS_MAX} different markets with commas between them, such as market_0,market_1`,
});

/**
 * Reads the settings of each market of an environment; the first one answers requests that name none. Problems name the
 * variable as the environment has it, each once.
 */
export function readEachMarket<Settings>(
  given: Given,
  schema: z.ZodType<Settings>,
): { readonly markets: readonly Settings[]; readonly issues: readonly string[] } {
  const { RISK_MARKET: own, RISK_MARKETS: list = '' } = given;
  const listed = isMarketList(list) ? list.split(',') : [];
  const issues = new Set<string>();
  if (own !== undefined && listed.length > 0 && !listed.includes(own)) {
    issues.add(`RISK_MARKETS: must name ${own}, as RISK_MARKET does`);
  }
  const markets = [...new Set([own ?? listed[0] ?? BY_DEFAULT, ...listed])].flatMap((market) => {
    const { set, nameOf } = settingsOf(given, market);
    const { data, error } = schema.safeParse(set);
    for (const { path, message } of error?.issues ?? []) {
      issues.add(`${nameOf(path.join('.'))}: ${message}`);
    }
    return data === undefined ? [] : [data];
  });
  return { markets, issues: [...issues] };
}

/** The settings that an environment has for a market, and the variable of each setting. */
function settingsOf(given: Given, market: string) {
  const prefix = `${market.toUpperCase()}_`;
  // A market `risk_admin` would take a setting of the engine for its own.
  const isOwn = (store: string) =>
    STORES.includes(store) && prefix !== 'RISK_ADMIN_' && given[prefix + store] !== undefined;
  const own = STORES.filter(isOwn).map((store) => [store, given[prefix + store]]);
  // The replica of the process is none of another Postgres.
  const replica = isOwn('DATABASE_URL') ? { DATABASE_REPLICA_URL: undefined } : {};
  return {
    set: { ...given, ...replica, ...Object.fromEntries(own), RISK_MARKET: market },
    nameOf: (setting: string) => (isOwn(setting) ? prefix : '') + setting,
  };
}
