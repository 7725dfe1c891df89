/**
 * Merchants whose transactions come in another order than that of time: a past that is sorted by account, or stored from several files
 * at once. Each of their transactions would need a profile that is rebuilt around it. In place of profiles this process keeps what
 * the rows of these merchants sum up to by the hour, and the rows of hours that late transactions lie in; each batch reads what was
 * stored since.
 */
import { LRUCache } from 'lru-cache';
import type { Query } from '../../../kit/database/pool.ts';
import { openTurns } from '../../../kit/process/turns.ts';
import { hourOf } from '../../../kit/words/range.ts';
import { NO_FRAUDS } from '../../domain/history.ts';
import type { Transaction } from '../../domain/transaction.ts';
import { takeOwn } from '../../profile/arena.ts';
import { keyOfArrival } from '../../profile/arrivals.ts';
import type { KindBatch } from '../../profile/fold-batch.ts';
import { writeMerchant } from '../../profile/merchant-features.ts';
import {
  insertMerchantRow,
  MERCHANT_RECORD_BYTES,
  sumMinor,
} from '../../profile/merchant-profile.ts';
import {
  countBefore,
  createList,
  type PackedList,
  packLetters,
  timeAt,
} from '../../profile/packed-list.ts';
import type { Profile } from '../../profile/profile.ts';
import {
  addHour,
  createTimeline,
  newestHourMs,
  type Tallies,
  type Timeline,
} from '../../profile/tallies.ts';
import { rowAt } from '../../score/feature-rows.ts';
import { type HourRow, readHourRows, readHours } from '../../store/profiles/merchant-hours.ts';
import { merchantPast, type PastQuery } from '../../store/profiles/past-queries.ts';
import type { LateParties } from './profiles.ts';

/** So long after its last late transaction a merchant has no profile. Shorter: what comes late now and then costs a rebuild each time. */
const LATE_MS = 10_000;
/** Bytes of all timelines: a thousand merchants of 700 hours each. */
const BYTES_MAX = 16 * 1024 * 1024;
/** Bytes of the rows of hours: half a million rows. */
const LISTS_BYTES_MAX = 16 * 1024 * 1024;
const NO_ROWS = createList(MERCHANT_RECORD_BYTES, 1, takeOwn);
const NO_HOUR = Number.NEGATIVE_INFINITY;
/** Columns of a row that no profile of a merchant has. */
const UNREAD = { corridor: '', deviceId: null, country: null } as const;

type LateMerchant = {
  /** Names the merchant's lists: lists of a merchant that was dropped are nobody's. */
  readonly serial: number;
  readonly timeline: Timeline;
  lastLateMs: number;
};

type Batch = KindBatch<Profile, unknown>;

/** A transaction of a batch, with what is known of its merchant. */
type LatePoint = {
  readonly index: number;
  readonly transaction: Transaction;
  readonly merchant: LateMerchant;
  readonly tallies: Tallies;
  /** An hour of the merchant: at first that of the transaction. */
  readonly hourMs: number;
};

/** Timelines and rows of hours that this process knows of late merchants. */
export class LateMerchants implements LateParties {
  /** The merchant that was used last is the last. */
  readonly #merchants = new Map<string, LateMerchant>();
  /** Rows of hours, by the merchant's serial and the hour. */
  readonly #lists = new LRUCache<string, PackedList>({
    maxSize: LISTS_BYTES_MAX,
    sizeCalculation: ({ records }) => records.byteLength,
  });
  readonly #query: Query;
  readonly #maturityDays: number;
  readonly #past: PastQuery;
  readonly #inTurn = openTurns().inTurn;
  /** Rows of database transactions before it are in the timelines; undefined while there are none. */
  #mark: string | undefined;
  #readMs = Number.NEGATIVE_INFINITY;
  #serial = 0;

  /** @param maturityDays after which the labels of a transaction count as complete */
  constructor(query: Query, maturityDays: number) {
    this.#query = query;
    this.#maturityDays = maturityDays;
    this.#past = merchantPast(maturityDays);
  }

  isLate(merchantId: string): boolean {
    const merchant = this.#merchants.get(merchantId);
    return merchant !== undefined && performance.now() - merchant.lastLateMs <= LATE_MS;
  }

  fold(batch: Batch, indices: readonly number[]): Promise<void> {
    return this.#inTurn(async () => {
      const transactions = indices.map((index) => batch.transactions[index] as Transaction);
      try {
        const unsettled = await this.#read(transactions);
        await this.#writePoints(batch, this.#pointsOf(transactions, indices));
        this.#add(unsettled, -1);
        this.#makeRoom();
      } catch (error) {
        // Rows that are still to be taken back would count twice.
        this.#forgetAll();
        throw error;
      }
    });
  }

  #forgetAll(): void {
    this.#merchants.clear();
    this.#lists.clear();
    this.#mark = undefined;
  }

  /** Brings the timelines of these transactions' merchants up to date. Returns the rows that the next call reads again. */
  async #read(transactions: readonly Transaction[]): Promise<readonly HourRow[]> {
    // Reading all rows that were stored since would cost more than the merchants are worth.
    if (performance.now() - this.#readMs > LATE_MS) this.#forgetAll();
    const wanted = new Map<string, number>();
    for (const transaction of transactions) {
      const { merchantId } = transaction;
      const before = wanted.get(merchantId) ?? Number.POSITIVE_INFINITY;
      wanted.set(merchantId, Math.min(this.#past.sinceMs(transaction), before));
    }
    const others: { readonly merchantId: string; readonly sinceMs: number }[] = [];
    for (const [merchantId, sinceMs] of wanted) {
      const merchant = this.#merchants.get(merchantId);
      this.#merchants.delete(merchantId);
      if (merchant !== undefined && merchant.timeline.fromMs <= sinceMs) {
        this.#merchants.set(merchantId, merchant);
      } else others.push({ merchantId, sinceMs });
    }
    const known = [...this.#merchants.keys()];
    const { mark, rows } = await readHours(this.#query, this.#mark ?? '0', known, others);
    for (const { merchantId, sinceMs } of others) {
      const lastLateMs = performance.now();
      const serial = ++this.#serial;
      this.#merchants.set(merchantId, { serial, timeline: createTimeline(sinceMs), lastLateMs });
    }
    this.#add(rows, 1);
    this.#mark = mark;
    this.#readMs = performance.now();
    return rows.filter(({ isSettled }) => !isSettled);
  }

  /** Adds rows to the timelines, or takes them back; lists keep each row once, and for good. */
  #add(rows: readonly HourRow[], sign: 1 | -1): void {
    for (const row of rows) {
      const { merchantId, transactionId, currency, count, amount } = row;
      const merchant = this.#merchants.get(merchantId);
      const bucketMs = hourOf(row.createdAtMs);
      if (merchant === undefined || bucketMs < merchant.timeline.fromMs) continue;
      addHour(merchant.timeline, {
        ...{ bucketMs, currency: packLetters(currency), count: sign * count },
        sum: sign * sumMinor(amount, currency),
      });
      if (transactionId === null || sign < 0) continue;
      const key = keyOf(merchant, bucketMs);
      const list = this.#lists.get(key);
      if (list === undefined) continue;
      const bytes = list.records.byteLength;
      insertMerchantRow(list, { ...row, ...UNREAD, transactionId });
      if (list.records.byteLength > bytes) this.#lists.set(key, list);
    }
  }

  /** The rows of the points' hours: those that are not in memory are read at once. */
  async #listsOf(points: readonly LatePoint[]): Promise<PackedList[]> {
    const lists = new Map<string, PackedList>();
    const missing: { key: string; list: PackedList; merchantId: string; hourMs: number }[] = [];
    for (const { merchant, transaction, hourMs } of points) {
      const key = keyOf(merchant, hourMs);
      if (hourMs === NO_HOUR || lists.has(key)) continue;
      const known = this.#lists.get(key);
      const list = known ?? createList(MERCHANT_RECORD_BYTES, 1, takeOwn);
      lists.set(key, list);
      const { merchantId } = transaction;
      if (known === undefined) missing.push({ key, list, merchantId, hourMs });
    }
    const rows = missing.length === 0 ? [] : await readHourRows(this.#query, missing);
    for (const { nth, ...row } of rows) insertMerchantRow(missing[nth - 1]?.list ?? NO_ROWS, row);
    for (const { key, list } of missing) this.#lists.set(key, list);
    return points.map(({ merchant, hourMs }) => lists.get(keyOf(merchant, hourMs)) ?? NO_ROWS);
  }

  /** Points of a merchant follow each other, as prefix sums are kept of the tallies that were counted last. */
  #pointsOf(transactions: readonly Transaction[], indices: readonly number[]): LatePoint[] {
    const nowMs = performance.now();
    const groups = Map.groupBy(transactions.keys(), (at) => transactions[at]?.merchantId ?? '');
    return [...groups].flatMap(([merchantId, group]) => {
      const merchant = this.#merchants.get(merchantId);
      if (merchant === undefined) throw new Error('the timeline of a late merchant was not read');
      const { packed, length } = merchant.timeline;
      // A new object, as prefix sums of tallies are kept by their object.
      const tallies = { packed, length };
      const newestMs = newestHourMs(merchant.timeline);
      return group.map((at) => {
        const [index, transaction] = [indices[at] as number, transactions[at] as Transaction];
        const hourMs = hourOf(transaction.createdAtMs);
        if (hourMs < newestMs) merchant.lastLateMs = nowMs;
        return { index, transaction, hourMs, merchant, tallies };
      });
    });
  }

  async #writePoints({ arrivals, rows }: Batch, points: readonly LatePoint[]): Promise<void> {
    const [past, maturityDays] = [this.#past, this.#maturityDays];
    const lists = await this.#listsOf(points);
    const ends = points.map(({ index }, at) =>
      countBefore(lists[at] ?? NO_ROWS, keyOfArrival(arrivals, index)),
    );
    // Before the first row of its hour a transaction's newest sibling is in the newest hour before.
    const hoursBefore = points.map((point, at) => {
      const { timeline } = point.merchant;
      return { ...point, hourMs: ends[at] === 0 ? newestHourMs(timeline, point.hourMs) : NO_HOUR };
    });
    const listsBefore = await this.#listsOf(hoursBefore);
    const frauds = await past.loadFrauds(
      this.#query,
      points.map(({ transaction }) => ({
        party: transaction.merchantId,
        atMs: transaction.createdAtMs,
        sinceMs: past.sinceMs(transaction),
      })),
    );
    for (const [at, { index, hourMs, tallies }] of points.entries()) {
      const [list = NO_ROWS, before = NO_ROWS, end = 0] = [lists[at], listsBefore[at], ends[at]];
      const siblings = { list, tallies, frauds: frauds[at]?.known ?? NO_FRAUDS, maturityDays };
      const newestMs = before.count === 0 ? Number.NaN : timeAt(before, before.count - 1);
      const tallied = { untilMs: hourMs, newestMs };
      writeMerchant(siblings, end, tallied, arrivals, index, rows.values, rowAt(index));
    }
  }

  /** Drops merchants that were not used for longest until the others fit. */
  #makeRoom(): void {
    const bytesOf = ({ timeline }: LateMerchant) => timeline.packed.byteLength;
    let bytes = 0;
    for (const merchant of this.#merchants.values()) bytes += bytesOf(merchant);
    for (const [merchantId, merchant] of this.#merchants) {
      if (bytes <= BYTES_MAX) return;
      bytes -= bytesOf(merchant);
      this.#merchants.delete(merchantId);
    }
  }
}

const keyOf = ({ serial }: LateMerchant, hourMs: number) => `${serial} ${hourMs}`;
