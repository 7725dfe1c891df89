/** The exchange rates of a market in the memory of a process. */
import type { Query } from '../../../kit/database/pool.ts';
import { rowsOf } from '../../../kit/database/statement.ts';
import { type Rate, type RateOf, type Rates, rateOfRows } from '../../score/ask-inputs.ts';

/** Rates of so many days are in memory, 60 bytes a currency and day; later payments are seldom. */
const DAYS = 31;
/** Longer: a rate that people import decides later. Shorter: a batch waits for the statement more often. */
const AGE_MS_MAX = 60_000;

const readRates = rowsOf<Rate, [days: number]>(
  'read-exchange-rates',
  `select currency, day - date '1970-01-01' as day, usd::float8 as usd
     from market.exchange_rates r
    where day >= current_date - $1::int4
       or day = (select max(day) from market.exchange_rates o where o.currency = r.currency and o.day < current_date - $1::int4)
    order by currency, day`,
);

/** Reads the rates where somebody asks, at most once in AGE_MS_MAX. */
export function createRates(query: Query, nowMs = () => performance.now()): Rates {
  let made: { readonly atMs: number; readonly rateOf: Promise<RateOf> } | undefined;
  return () => {
    if (made === undefined || nowMs() - made.atMs > AGE_MS_MAX) {
      const reading = { atMs: nowMs(), rateOf: readRates(query, DAYS).then(rateOfRows) };
      made = reading;
      // A failure is for the callers that wait: the next call reads again.
      reading.rateOf.catch(() => {
        if (made === reading) made = undefined;
      });
    }
    return made.rateOf;
  };
}
