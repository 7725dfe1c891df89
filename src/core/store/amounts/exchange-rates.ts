/** The exchange rates of a market in the memory of a process. */

import { atMostOnceIn } from '../../../kit/caches/at-most-once-in.ts';
import type { Query } from '../../../kit/database/pool.ts';
import { rowsOf } from '../../../kit/database/statement.ts';
import { type Rate, type Rates, rateOfRows } from '../../score/rules/rule-inputs.ts';

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

/** Reads the rates where somebody asks. */
export const createRates = (query: Query, nowMs?: () => number): Rates =>
  atMostOnceIn(AGE_MS_MAX, async () => rateOfRows(await readRates(query, DAYS)), nowMs);
