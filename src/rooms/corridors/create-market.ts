/** Makes a market with its corridors and its first limits. */
import { LIMITED_MARKET, type LimitKind, type Rate } from '../../core/domain/limit.ts';
import { changeLimits } from '../../core/store/limits/limits.ts';
import {
  type MadeMarket,
  type MarketMaking,
  makeMarket,
} from '../../core/store/markets/make-market.ts';
import { recordChange } from '../../kit/audit/audit-log.ts';
import type { Database } from '../../kit/database/pool.ts';

type FirstLimits = { readonly [Kind in LimitKind]?: Rate };

/** Limits of a market until somebody sets others; a raise needs a second person. */
const FIRST_MARKET: FirstLimits = { requests: { ratePerSecond: 1000, burst: 2000 } };
const LATER_MARKET: FirstLimits = {
  requests: { ratePerSecond: 500, burst: 1000 },
  inference: { ratePerSecond: 100, burst: 200 },
};

/** Limits that the market of this name begins with. */
export const firstLimitsOf = (market: string) =>
  Object.entries(market === 'market_0' ? FIRST_MARKET : LATER_MARKET) as [LimitKind, Rate][];

/** May be run again: it goes on where it stopped, and changes no limit that is there. */
export async function createMarket(making: MarketMaking): Promise<MadeMarket> {
  return await makeMarket(making, async (database) => {
    await freeSeededCorridors(database, making);
    for (const [kind, rate] of firstLimitsOf(making.market))
      await setFirstLimit(database, making, kind, rate);
  });
}

/** The first market of a database is seeded with corridors; without a transaction the market keeps those that it was given. */
async function freeSeededCorridors(
  { write }: Database,
  { market, corridors }: MarketMaking,
): Promise<void> {
  const text = `update shared.corridors set market = null
                 where market = $1 and corridor <> all ($2::text[]) and not exists (select from market.transactions)`;
  await write({ name: 'free-seeded-corridors', text }, [market, corridors]);
}

async function setFirstLimit(
  database: Database,
  { by }: MarketMaking,
  kind: LimitKind,
  rate: Rate,
): Promise<void> {
  const scope = LIMITED_MARKET;
  const reason = 'first limit of a new market';
  await changeLimits(database, { scope, kind }, async (query, { all, set }) => {
    if (all.some((limit) => limit.scope === scope && limit.kind === kind)) return;
    await set(rate, { by: 'risk markets create', reason });
    const { ratePerSecond, burst } = rate;
    await recordChange(query, by, {
      action: 'limit.set',
      subject: scope,
      before: null,
      after: { kind, ratePerSecond, burst, reason },
    });
  });
}
