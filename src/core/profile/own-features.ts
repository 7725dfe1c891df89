/** Begins rows of features with those of the transaction itself. */
import { DAY_MS, HOUR_MS } from '../../kit/words/utc-bucket.ts';
import { featureIndex } from '../domain/feature-schema.ts';
import { createFeatureRows, type FeatureRows, rowAt } from '../score/feature-rows.ts';
import { naturalLog } from '../score/natural-log.ts';
import { COUNTRY_BITS } from './account-profile.ts';
import type { Arrivals } from './arrivals.ts';
import { type CorridorAmounts, NO_CORRIDOR_AMOUNTS } from './corridor-amounts.ts';

const AMOUNT = featureIndex('amount');
const AMOUNT_TO_CORRIDOR = featureIndex('amount_to_corridor');
/** Bits of a country, which is packed below the bits of a corridor. */
const COUNTRY_WIDTH = 10;
const NIGHT_HOURS = 6;
const ROUND_UNITS = 100;
/** 1970-01-01 was a Thursday: 3 days after a Monday. */
const EPOCH_WEEKDAY = 3;

/** Transactions in columns, and a row for each, which the profiles of its parties complete. */
export type BegunRows = { readonly arrivals: Arrivals; readonly rows: FeatureRows };

export function beginRows(
  arrivals: Arrivals,
  amounts: CorridorAmounts = NO_CORRIDOR_AMOUNTS,
): BegunRows {
  const rows = createFeatureRows(arrivals.ms.length);
  for (let index = 0; index < rows.count; index++) {
    const at = rowAt(index);
    writeOwn(arrivals, index, rows.values, at + AMOUNT);
    rows.values[at + AMOUNT_TO_CORRIDOR] = amounts.ratio(
      arrivals.ms[index] as number,
      (arrivals.route[index] as number) >>> COUNTRY_WIDTH,
      arrivals.currency[index] as number,
      rows.values[at + AMOUNT] as number,
    );
  }
  return { arrivals, rows };
}

function writeOwn(arrivals: Arrivals, index: number, values: Float64Array, start: number): void {
  const ms = arrivals.ms[index] as number;
  const minor = arrivals.minor[index] as number;
  const unit = arrivals.unit[index] as number;
  const route = arrivals.route[index] as number;
  const country = route & COUNTRY_BITS;
  const destination = (route >>> 10) & COUNTRY_BITS;
  const source = route >>> 20;
  const day = Math.floor(ms / DAY_MS);
  const hour = Math.floor((ms - day * DAY_MS) / HOUR_MS);
  const weekday = (day + EPOCH_WEEKDAY) % 7;
  const amount = minor / unit;
  let at = start;
  values[at++] = amount;
  values[at++] = naturalLog(amount);
  values[at++] = minor / (arrivals.limit[index] as number);
  values[at++] = minor % (ROUND_UNITS * unit) === 0 ? 1 : 0;
  values[at++] = hour;
  values[at++] = weekday;
  values[at++] = weekday >= 5 ? 1 : 0;
  values[at++] = hour < NIGHT_HOURS ? 1 : 0;
  values[at++] = source === destination ? 0 : 1;
  values[at++] = country === 0 ? Number.NaN : Number(country !== source && country !== destination);
  values[at++] = arrivals.device[index] === 0 ? 1 : 0;
  values[at++] = country === 0 ? 1 : 0;
  values[at++] = arrivals.ip[index] === 1 ? 0 : 1;
}
