/** The percentile and the exchange rates with which amounts of a corridor are compared. Days count from 1970-01-01 UTC. */

/** The 99.99th percentile of a corridor's amounts before `day`, in units of the market's currency. */
export type CorridorAmount = {
  readonly day: number;
  readonly corridor: string;
  readonly currency: string;
  readonly amount: number;
};

/** The newest value of one unit of a currency in US dollars before `day`. */
export type DayRate = { readonly day: number; readonly currency: string; readonly usd: number };

export type CorridorAmountRows = {
  readonly percentiles: readonly CorridorAmount[];
  readonly rates: readonly DayRate[];
};

/** Age in days at which a percentile expires. Larger: amounts are compared with old prices; smaller: a gap of days leaves none. */
export const FRESH_DAYS = 7;
