/**
 * A batch's transactions as profiles fold them: columns of numbers, computed once for accounts and merchants,
 * as an object per transaction would burden the garbage collector.
 */
import { currencyScale, toMinorUnits } from '../domain/currency.ts';
import type { PastTransaction } from '../domain/history.ts';
import { reportingLimitMinor } from '../domain/reporting-limit.ts';
import { hourShares } from '../score/scorecard/day-evidence.ts';
import type { DayTable } from '../score/scorecard/day-table.ts';
import { BEFORE_ALL, hashText, hexDigits, packLetters, type RecordKey } from './packed-list.ts';

/** Each column has one value a transaction. */
export type Arrivals = {
  /** created_at, epoch milliseconds. */
  readonly ms: Float64Array;
  /** The UUID's bytes 6..7, 8..11 and 12..15. */
  readonly top: Uint16Array;
  readonly high: Uint32Array;
  readonly low: Uint32Array;
  /** Amount in minor units of its currency: an integer, exact below 2^53. */
  readonly minor: Float64Array;
  /** Minor units in one unit of the currency. */
  readonly unit: Float64Array;
  /** The currency's reporting limit in minor units; NaN where none is known. */
  readonly limit: Float64Array;
  /** 15 bits of the currency. */
  readonly currency: Uint16Array;
  /** Hashes; 0 stands for a missing device. */
  readonly account: Uint32Array;
  readonly merchant: Uint32Array;
  readonly device: Uint32Array;
  /** Corridor (20 bits) above country (10 bits, 0 is absent). */
  readonly route: Uint32Array;
  /** 1 where the transaction has an IP address. */
  readonly ip: Uint8Array;
  /** Shares of the market's payments by UTC hour, as the table of the day has them. */
  readonly hours: Float64Array[];
  /** Declared numbers; empty in a market without any. */
  readonly numbers: (readonly number[] | undefined)[];
};

/** Before the first table each hour is as usual as any. */
const ANY_HOUR = hourShares([]);

/** Only a transaction that is scored has an IP address: stored rows lack it. */
type Arriving = PastTransaction & { readonly ip?: string | null };

/** Minor units in one unit, by decimal places; ISO 4217 has 0 to 4. */
const UNIT_MINOR = [1, 10, 100, 1000, 10_000];

/** @param tables of the transactions' days; null, or absent, before the first */
export function arrivalsOf(
  transactions: readonly Arriving[],
  tables: readonly (Pick<DayTable, 'hours'> | null)[] = [],
): Arrivals {
  const arrivals = createArrivals(transactions.length);
  for (let index = 0; index < transactions.length; index++) {
    writeArrival(arrivals, index, transactions[index] as Arriving);
    arrivals.hours[index] = tables[index]?.hours ?? ANY_HOUR;
  }
  return arrivals;
}

/**
 * Rows of a past are folded one at a time through these: columns for each past cost the garbage collector 62
 * bytes a row.
 */
const singleArrival = createArrivals(1);

/** The one row of these columns; the next call overwrites it. */
export function arrivalOf(transaction: Arriving): Arrivals {
  writeArrival(singleArrival, 0, transaction);
  singleArrival.numbers[0] = transaction.numbers;
  return singleArrival;
}

function createArrivals(count: number): Arrivals {
  return {
    ms: new Float64Array(count),
    top: new Uint16Array(count),
    high: new Uint32Array(count),
    low: new Uint32Array(count),
    minor: new Float64Array(count),
    unit: new Float64Array(count),
    limit: new Float64Array(count),
    currency: new Uint16Array(count),
    account: new Uint32Array(count),
    merchant: new Uint32Array(count),
    device: new Uint32Array(count),
    route: new Uint32Array(count),
    ip: new Uint8Array(count),
    hours: [],
    numbers: [],
  };
}

function writeArrival(arrivals: Arrivals, index: number, transaction: Arriving): void {
  const { transactionId, amount, currency } = transaction;
  const { unit, limit, packed } = figuresOf(currency);
  arrivals.ms[index] = transaction.createdAtMs;
  arrivals.top[index] = hexDigits(transactionId, 14, 18);
  arrivals.high[index] = hexDigits(transactionId, 19, 28);
  arrivals.low[index] = hexDigits(transactionId, 28, 36);
  arrivals.minor[index] = toMinorUnits(amount, currency);
  arrivals.unit[index] = unit;
  arrivals.limit[index] = limit;
  arrivals.currency[index] = packed;
  arrivals.account[index] = hashText(transaction.accountId);
  arrivals.merchant[index] = hashText(transaction.merchantId);
  arrivals.device[index] = hashText(transaction.deviceId);
  arrivals.route[index] =
    (packLetters(transaction.corridor) << 10) | packLetters(transaction.country);
  arrivals.ip[index] = typeof transaction.ip === 'string' ? 1 : 0;
}

type CurrencyFigures = { readonly unit: number; readonly limit: number; readonly packed: number };

/** Currencies by code: one lookup a transaction instead of three. ISO 4217 bounds the map. */
const FIGURES = new Map<string, CurrencyFigures>();

function figuresOf(currency: string): CurrencyFigures {
  const known = FIGURES.get(currency);
  if (known !== undefined) return known;
  const scale = currencyScale(currency);
  const unit = UNIT_MINOR[scale ?? 2] ?? 100;
  const figures = { unit, limit: reportingLimitMinor(currency), packed: packLetters(currency) };
  if (scale !== undefined) FIGURES.set(currency, figures);
  return figures;
}

/** A single object for the keys of all arrivals, as no key is kept: it belongs to the arrival that is folded. */
const here: RecordKey = { ...BEFORE_ALL };

/** An arrival's key; the next call overwrites it. */
export function keyOfArrival(arrivals: Arrivals, index: number): RecordKey {
  here.ms = arrivals.ms[index] as number;
  here.top = arrivals.top[index] as number;
  here.high = arrivals.high[index] as number;
  here.low = arrivals.low[index] as number;
  return here;
}
