/**
 * Merchants whose transactions come in another order than that of time: a past that is sorted by account, or stored from several files
 * at once. Each of their transactions would need a profile that is rebuilt around it. In place of profiles this process keeps what
 * the rows of these merchants sum up to by the hour, and the rows of hours that late transactions lie in; each batch reads what was
 * stored since.
 */
import { LRUCache } from 'lru-cache';
import type { Query } from '../../../kit/database/pool.ts';
import { openTurns } from '../../../kit/process/turns.ts';
import { DAY_MS, HOUR_MS, hourOf } from '../../../kit/words/range.ts';
import { rowAt } from '../../domain/feature-rows.ts';
import { NO_FRAUDS } from '../../domain/history.ts';
import type { Transaction } from '../../domain/transaction.ts';
import { keyOfArrival } from '../../profile/arrivals.ts';
import type { KindBatch } from '../../profile/fold-batch.ts';
import { writeMerchant } from '../../profile/merchant-features.ts';
import { countBefore, countOlder, packLetters, timeAt } from '../../profile/packed-list.ts';
import type { Profile } from '../../profile/profile.ts';
import {
  addHour,
  createTimeline,
  newestHourMs,
  type Tallies,
  type Timeline,
} from '../../profile/tallies.ts';
import { type HourRow, type Mark, readHours } from '../../store/profiles/merchant-hours.ts';
import { merchantPast, type PastQuery } from '../../store/profiles/past-queries.ts';
import {
  type BatchHours,
  type DayList,
  DayLists,
  type Hour,
  keyOfDay,
  keyOfHour,
  listFrom,
  NO_ROWS,
} from './day-lists.ts';
import type { LateParties } from './profiles.ts';

/** So long after its last late transaction a merchant has no profile. Shorter: what comes late now and then costs a rebuild each time. */
const LATE_MS = 10_000;
const LATE_MAX = 100_000;
/** Parties with a late transaction not long ago. A `max` takes 4.4 MB at once, even without a party; a size grows with the parties. */
export const createLateParties = (): LRUCache<string, true> =>
  new LRUCache({ maxSize: LATE_MAX, sizeCalculation: () => 1, ttl: LATE_MS });
/** Bytes of all timelines: a thousand merchants of 700 hours each. */
const BYTES_MAX = 16 * 1024 * 1024;
const NO_HOUR = Number.NEGATIVE_INFINITY;
/** The past of a merchant is read from so much earlier on than asked, as an older transaction would have all of it read again. */
const SPARE_MS = 31 * DAY_MS;
/** Unknown merchants whose pasts are read at once. More: batches that know theirs wait longer. */
const UNKNOWN_MAX = 16;

type LateMerchant = {
  readonly merchantId: string;
  /** Names the merchant's days: lists of a merchant that was dropped are nobody's. */
  readonly serial: number;
  readonly timeline: Timeline;
};

type Batch = KindBatch<Profile, unknown>;

/** A transaction of a batch, with what is known of its merchant. */
type LatePoint = {
  readonly index: number;
  readonly hourMs: number;
  readonly merchant: LateMerchant;
};

/** Timelines and rows of hours that this process knows of late merchants. */
export class LateMerchants implements LateParties {
  readonly rowsMin = 0;
  readonly parties = createLateParties();
  readonly #merchants = new LRUCache<string, LateMerchant>({
    maxSize: BYTES_MAX,
    sizeCalculation: ({ timeline }) => timeline.packed.byteLength,
  });
  readonly #query: Query;
  readonly #days: DayLists;
  readonly #maturityDays: number;
  readonly #past: PastQuery;
  /** Timelines are read by one batch at a time. */
  readonly #turns = openTurns();
  /** Rows of database transactions before it are in the timelines for good; undefined while there are none. */
  #mark: Mark | undefined;
  /** Rows in the timelines that the next reading brings again. */
  #unsettled: readonly HourRow[] = [];
  #readMs = Number.NEGATIVE_INFINITY;
  #serial = 0;

  /** @param maturityDays after which the labels of a transaction count as complete */
  constructor(query: Query, maturityDays: number) {
    this.#query = query;
    this.#days = new DayLists(query);
    this.#maturityDays = maturityDays;
    this.#past = merchantPast(maturityDays);
  }

  async fold(batch: Batch, indices: readonly number[], isUrgent: boolean): Promise<void> {
    const { arrivals, rows } = batch;
    const [past, maturityDays] = [this.#past, this.#maturityDays];
    const transactions = indices.map((index) => batch.transactions[index] as Transaction);
    for (const { merchantId } of transactions) {
      if (!this.parties.has(merchantId)) this.parties.set(merchantId, true);
    }
    const [merchants, frauds] = await Promise.all([
      this.#merchantsOf(transactions, isUrgent),
      past.loadFrauds(
        this.#query,
        transactions.map((transaction) => ({
          party: transaction.merchantId,
          atMs: transaction.createdAtMs,
          sinceMs: past.sinceMs(transaction),
        })),
      ),
    ]);
    const points = transactions.map(({ merchantId, createdAtMs }, at): LatePoint => {
      const merchant = merchants.get(merchantId) as LateMerchant;
      return { index: indices[at] as number, hourMs: hourOf(createdAtMs), merchant };
    });
    const hours = new Map<string, DayList>();
    // Rows that are stored meanwhile may put another hour before that of a point.
    for (;;) {
      const missing = missingHours(points, arrivals, hours);
      if (missing.size === 0) break;
      await this.#days.hold(missing, hours);
    }
    // From here on nothing is awaited, so that sums and rows are of one moment.
    let counted: { readonly of: LateMerchant; readonly tallies: Tallies } | undefined;
    for (const [at, { index, hourMs, merchant }] of points.entries()) {
      const { timeline } = merchant;
      if (counted?.of !== merchant) {
        // A new object, as prefix sums of tallies are kept by their object.
        counted = { of: merchant, tallies: { packed: timeline.packed, length: timeline.length } };
        if (hourMs < newestHourMs(timeline)) this.parties.set(merchant.merchantId, true);
      }
      const list = listFrom(hours, merchant, hourMs);
      const end = countBefore(list, keyOfArrival(arrivals, index));
      const beforeMs = newestHourMs(timeline, hourMs);
      const before = end > 0 ? NO_ROWS : listFrom(hours, merchant, beforeMs);
      const count = countOlder(before, beforeMs + HOUR_MS);
      const newestMs = count === 0 ? Number.NaN : timeAt(before, count - 1);
      const known = frauds[at]?.known ?? NO_FRAUDS;
      const siblings = { list, tallies: counted.tallies, frauds: known, maturityDays };
      const tallied = { untilMs: hourMs, newestMs };
      writeMerchant(siblings, end, tallied, arrivals, index, rows.values, rowAt(rows, index));
    }
  }

  /** The merchants of these transactions, with every row that is stored now. */
  async #merchantsOf(transactions: readonly Transaction[], isUrgent: boolean) {
    const wanted = new Map<string, number>();
    for (const transaction of transactions) {
      const { merchantId } = transaction;
      const before = wanted.get(merchantId) ?? Number.POSITIVE_INFINITY;
      wanted.set(merchantId, Math.min(this.#past.sinceMs(transaction), before));
    }
    const found = new Map<string, LateMerchant>();
    const { inTurn, urgently } = this.#turns;
    while (wanted.size > 0) {
      const read = await (isUrgent ? urgently : inTurn)(() => this.#read(wanted));
      for (const merchant of read) {
        found.set(merchant.merchantId, merchant);
        wanted.delete(merchant.merchantId);
      }
    }
    return found;
  }

  #knows(merchantId: string, sinceMs: number): LateMerchant | undefined {
    const merchant = this.#merchants.get(merchantId);
    return merchant && merchant.timeline.fromMs <= sinceMs ? merchant : undefined;
  }

  /**
   * Brings all timelines up to date, and adds those of the first unknown merchants.
   * @param wanted merchants, and the times from which on their rows are needed
   * @returns those of the wanted merchants that are known now, which the caller keeps: the next reading may drop them
   */
  async #read(wanted: ReadonlyMap<string, number>): Promise<readonly LateMerchant[]> {
    // Reading all rows that were stored since would cost more than the merchants are worth.
    if (performance.now() - this.#readMs > LATE_MS) {
      this.#merchants.clear();
      this.#unsettled = [];
    }
    const others: { readonly merchantId: string; readonly sinceMs: number }[] = [];
    for (const [merchantId, sinceMs] of wanted) {
      if (this.#knows(merchantId, sinceMs) || others.length === UNKNOWN_MAX) continue;
      this.#merchants.delete(merchantId);
      others.push({ merchantId, sinceMs: sinceMs - SPARE_MS });
    }
    const known = [...this.#merchants.keys()];
    const since = [...this.#merchants.values()].map(({ timeline }) => timeline.fromMs);
    const fromMs = Math.min(...since, ...others.map(({ sinceMs }) => sinceMs));
    const reading = readHours(this.#query, fromMs, this.#mark, known, others);
    const { mark, rows } = await reading;
    this.#add(this.#unsettled, -1);
    for (const { merchantId, sinceMs } of others) {
      const timeline = createTimeline(sinceMs);
      this.#merchants.set(merchantId, { merchantId, serial: ++this.#serial, timeline });
    }
    this.#add(rows, 1);
    this.#unsettled = rows.filter(({ isSettled }) => !isSettled);
    this.#mark = mark;
    this.#readMs = performance.now();
    const read = [...wanted].flatMap(([id, sinceMs]) => this.#knows(id, sinceMs) ?? []);
    // The cache measures what is set. It drops nothing before all rows are in their timelines.
    for (const merchantId of new Set(rows.map((row) => row.merchantId))) {
      const merchant = this.#merchants.peek(merchantId);
      if (merchant !== undefined) this.#merchants.set(merchantId, merchant);
    }
    return read;
  }

  /** Adds rows to the timelines, or takes them back; lists keep each row once, and for good. */
  #add(rows: readonly HourRow[], sign: 1 | -1): void {
    for (const row of rows) {
      const { merchantId, transactionId, currency, count, minor } = row;
      const merchant = this.#merchants.get(merchantId);
      const bucketMs = hourOf(row.createdAtMs);
      if (merchant === undefined || bucketMs < merchant.timeline.fromMs) continue;
      const tally = { bucketMs, currency: packLetters(currency) };
      addHour(merchant.timeline, { ...tally, count: sign * count, sum: sign * minor });
      if (transactionId === null || sign < 0) continue;
      this.#days.insert(merchant, { ...row, transactionId });
    }
  }
}

/** Hours whose rows the points need and lack: a point's own, and before the first row of it the newest hour before. */
function missingHours(
  points: readonly LatePoint[],
  arrivals: Batch['arrivals'],
  hours: BatchHours,
) {
  const missing = new Map<string, Hour>();
  for (const { merchant, index, hourMs } of points) {
    const own = hours.get(keyOfHour(merchant, hourMs));
    const isFirst =
      own && countBefore(own.list, keyOfArrival(arrivals, index)) === countOlder(own.list, hourMs);
    const neededMs = isFirst ? newestHourMs(merchant.timeline, hourMs) : hourMs;
    const name = keyOfHour(merchant, neededMs);
    if (neededMs !== NO_HOUR && !hours.has(name)) {
      const { merchantId } = merchant;
      missing.set(name, { merchantId, hourMs: neededMs, dayKey: keyOfDay(merchant, neededMs) });
    }
  }
  return missing;
}
