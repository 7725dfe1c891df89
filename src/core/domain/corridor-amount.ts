/** What a corridor's amounts are compared with. Days are counted from 1970-01-01, UTC. */

/** The 99.99th percentile of a corridor's amounts before `day`, in units of the market's currency. */
export type CorridorAmount = {
  readonly day: number;
  readonly corridor: string;
  readonly currency: string;
  readonly amount: number;
};

/** What one unit of a currency was worth in US dollars before `day`. */
export type DayRate = { readonly day: number; readonly currency: string; readonly usd: number };

export type CorridorAmountRows = {
  readonly percentiles: readonly CorridorAmount[];
  readonly rates: readonly DayRate[];
};

/** Days for which a percentile stands in where newer ones are missing. More days compare with older prices. */
export const FRESH_DAYS = 7;
