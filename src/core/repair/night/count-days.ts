/** The days before a table: what each has counted, and which a night has to count. */

import type { Query } from '../../../kit/database/pool.ts';
import { uuidsIn } from '../../../kit/words/cursor.ts';
import { DAY_MS } from '../../../kit/words/range.ts';
import { hashText } from '../../profile/packed-list.ts';
import {
  cellIn,
  countDay,
  decodeCounts,
  encodeCounts,
  readingText,
  valuesOf,
} from '../../score/scorecard/day-counts.ts';
import { CUT_PAYMENTS, collectRows, leastHashes } from '../../score/scorecard/kept-rows.ts';
import { logOddsOf } from '../../score/scorecard/measures.ts';
import { type As, type DaySums, sumDays } from '../../score/scorecard/sum-days.ts';
import type { Weeks } from '../../score/scorecard/weeks.ts';
import {
  listCounted,
  type MarketOfNight,
  type RatesOfDay,
  readCounts,
} from '../../store/scorecards/read-night.ts';
import {
  type Matured,
  type Payment,
  readFrauds,
  readScored,
} from '../../store/scorecards/read-payments.ts';
import type { NewDay } from '../../store/scorecards/write-night.ts';

/** Days before a table whose frauds and kept rows are read. */
export const LEARNT_DAYS = 180;
/** Days before a table over which lifts, tails, hours and high amounts are counted. */
export const COUNTED_DAYS = 90;
/** Days before a table from whose payments cuts are made. */
export const CUT_DAYS = 28;
const CROWD_DAYS = 30;
/** Most frauds that a solve reads. */
export const FRAUDS_MAX = 20_000;

export type Known = MarketOfNight & {
  readonly query: Query;
  readonly day: number;
  readonly signal: AbortSignal;
  readonly rates: RatesOfDay;
  readonly matured: Matured;
  /** Scored payments of each day that has any. */
  readonly payments: ReadonlyMap<number, number>;
};

export type NewlyCounted = NewDay & {
  /** Ids of the day's rows, each with its sampling rate. */
  readonly kept: ReadonlyMap<string, number>;
};

/** Days that no night has counted, or whose payments or fields have changed since. */
async function listUncounted({ query, day, payments, reading }: Known): Promise<number[]> {
  const stored = new Map(
    (await listCounted(query, day - LEARNT_DAYS, day)).map((counted) => [counted.day, counted]),
  );
  const text = readingText(reading);
  return [...payments.keys()].filter((of) => {
    const counted = stored.get(of);
    if (counted?.payments !== payments.get(of)) return true;
    if (of >= day - COUNTED_DAYS && counted?.reading !== text) return true;
    return (
      of >= day - CUT_DAYS && counted?.sampled !== Math.min(CUT_PAYMENTS, counted?.payments ?? 0)
    );
  });
}

async function countOne(
  { query, day, reading, rates, signal }: Known,
  of: number,
): Promise<NewlyCounted> {
  const isCounted = of >= day - COUNTED_DAYS;
  const counter = isCounted ? countDay(reading, rates(of), hashText) : undefined;
  const rows = collectRows();
  let payments = 0;
  const range = { fromMs: of * DAY_MS, toMs: (of + 1) * DAY_MS };
  for await (const page of readScored(query, range, isCounted && reading.fields.size > 0, signal)) {
    for (const payment of page) {
      counter?.add(payment);
      rows.add(payment.id, payment.margin ?? logOddsOf(payment.risk));
      payments++;
    }
  }
  const { hard, sample, share, least } = rows.end();
  return {
    ...{ day: of, payments, sample: of >= day - CUT_DAYS ? least : Buffer.alloc(0) },
    reading: isCounted ? readingText(reading) : '',
    counts: counter === undefined ? new Uint8Array() : encodeCounts(counter.end()),
    kept: new Map([
      ...hard.map((id) => [id, 1] as const),
      ...sample.map((id) => [id, share] as const),
    ]),
  };
}

/** Adds up the days before a table, and frees the memory of the sums. */
export async function sumUp(known: Known, weeks: Weeks) {
  const sums = sumDays();
  const { counted, parties } = await addDays(known, sums, weeks);
  const { query, reading, matured, signal } = known;
  // A payment of 00:00 is matured while its day is not.
  const newest = { fromMs: matured.toMs - 1, toMs: matured.toMs };
  for await (const page of readScored(query, newest, reading.fields.size > 0, signal)) {
    for (const payment of page) addOne(known, sums, 'matured', payment);
  }
  const frauds = await addFrauds(known, sums, weeks);
  return { counted, parties, frauds, evidence: sums.end(known.reading, known.rates(known.day)) };
}

/** Counts the days that are not counted yet, and adds up all; returns the days counted now, and parties that may be crowded. */
async function addDays(known: Known, sums: DaySums, weeks: Weeks) {
  const { query, day, payments, matured } = known;
  const uncounted = new Set(await listUncounted(known));
  const counted = new Map<number, NewlyCounted>();
  const parties = { device: new Set<string>(), address: new Set<string>() };
  for (const [of, count] of payments) {
    if (uncounted.has(of)) counted.set(of, await countOne(known, of));
    if (of < day - COUNTED_DAYS) continue;
    // Days that were counted just now are decoded from their bytes as well, so that each night adds up the same numbers.
    const counts = decodeCounts((counted.get(of) ?? (await readCounts(query, of))).counts);
    sums.add(counts, (of + 1) * DAY_MS <= matured.toMs ? count : 0);
    weeks.add(of, counts.ranks);
    if (of < day - CROWD_DAYS) continue;
    for (const device of counts.crowds.device) parties.device.add(device);
    for (const address of counts.crowds.address) parties.address.add(address);
  }
  return { counted, parties };
}

export type Frauds = { readonly total: number; readonly chosen: ReadonlySet<string> };

/** Adds the matured frauds of the counted days; chooses those with the least hashes of all. */
async function addFrauds(known: Known, sums: DaySums, weeks: Weeks): Promise<Frauds> {
  const { query, reading, matured, signal } = known;
  const chosen = leastHashes(FRAUDS_MAX);
  let total = 0;
  for await (const page of readFrauds(query, matured, reading.fields.size > 0, signal)) {
    for (const fraud of page) {
      total++;
      chosen.add(fraud.id);
      weeks.addFraud(dayOf(fraud), fraud);
      addOne(known, sums, 'frauds', fraud);
    }
  }
  return { total, chosen: new Set(uuidsIn(chosen.end())) };
}

const dayOf = ({ createdAtMs }: Payment) => Math.floor(createdAtMs / DAY_MS);

function addOne({ day, reading, rates }: Known, sums: DaySums, as: As, payment: Payment): void {
  if (dayOf(payment) < day - COUNTED_DAYS) return;
  const values = valuesOf(payment, reading);
  sums.addOne(as, values, cellIn(payment, values, reading, rates(dayOf(payment))));
}
