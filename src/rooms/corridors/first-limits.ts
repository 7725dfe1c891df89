/** Limits that a market begins with until somebody sets others; a raise needs a second person. */
import type { LimitUnit, Rate } from '../../core/domain/control-kinds.ts';
import { MARKET } from '../../core/domain/corridor.ts';

type FirstLimits = { readonly [Kind in LimitUnit]?: Rate };
const FIRST_MARKET: FirstLimits = {
  requests: { ratePerSecond: 1000, burst: 2000 },
  inference: { ratePerSecond: 200, burst: 400 },
};
const LATER_MARKET: FirstLimits = {
  requests: { ratePerSecond: 500, burst: 1000 },
  inference: { ratePerSecond: 100, burst: 200 },
};

/** Limits that the market of this name begins with. `entries` types names as texts. */
export const firstLimitsOf = (market: string) =>
  Object.entries(market === 'market_0' ? FIRST_MARKET : LATER_MARKET) as [LimitUnit, Rate][];

/** The command that sets a first limit of a market that has none. */
export const lineOf = (unit: LimitUnit, { ratePerSecond, burst }: Rate) =>
  `risk controls set limit-${unit} ${MARKET} --rate-per-second ${ratePerSecond} --burst ${burst} --reason '…'`;
