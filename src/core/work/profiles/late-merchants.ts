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
import { writeLate } from '../../profile/merchant-features.ts';
import {
  insertMerchantRow,
  MERCHANT_RECORD_BYTES,
  sumMinor,
} from '../../profile/merchant-profile.ts';
import {
  addHour,
  createTimeline,
  newestHourMs,
  type Timeline,
  talliesOf,
} from '../../profile/merchant-timeline.ts';
import {
  countBefore,
  createList,
  type PackedList,
  packLetters,
  timeAt,
} from '../../profile/packed-list.ts';
import type { Profile } from '../../profile/profile.ts';
import type { Tallies } from '../../profile/tallies.ts';
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
  readonly hourMs: number;
  readonly merchant: LateMerchant;
  readonly tallies: Tallies;
};

/** What this process knows of late merchants. */
class Timelines {
  /** The merchant that was used last is the last. */
  readonly #merchants = new Map<string, LateMerchant>();
  /** Rows of hours, by the merchant's serial and the hour. */
  readonly #lists = new LRUCache<string, PackedList>({
    maxSize: LISTS_BYTES_MAX,
    sizeCalculation: ({ records }) => records.byteLength,
  });
  readonly #query: Query;
  readonly #past: PastQuery;
  /** Rows of database transactions before it are in the timelines; undefined while there are none. */
  #mark: string | undefined;
  #readMs = Number.NEGATIVE_INFINITY;
  #serial = 0;

  constructor(query: Query, past: PastQuery) {
    this.#query = query;
    this.#past = past;
  }

  isLate(merchantId: string): boolean {
    const merchant = this.#merchants.get(merchantId);
    return merchant !== undefined && performance.now() - merchant.lastLateMs <= LATE_MS;
  }

  forgetAll(): void {
    this.#merchants.clear();
    this.#lists.clear();
    this.#mark = undefined;
  }

  /** Brings the timelines of these transactions' merchants up to date. Returns the rows that the next call reads again. */
  async read(transactions: readonly Transaction[]): Promise<readonly HourRow[]> {
    // What was stored since would be more than the merchants are worth.
    if (performance.now() - this.#readMs > LATE_MS) this.forgetAll();
    const wanted = new Map<string, number>();
    for (const transaction of transactions) {
      const { merchantId } = transaction;
      const before = wanted.get(merchantId) ?? Number.POSITIVE_INFINITY;
      wanted.set(merchantId, Math.min(this.#past.sinceMs(transaction), before));
    }
    const others = [...wanted]
      .map(([merchantId, sinceMs]) => ({ merchantId, sinceMs }))
      .filter(({ merchantId, sinceMs }) => !this.#reaches(merchantId, sinceMs));
    const known = [...this.#merchants.keys()];
    const { mark, rows } = await readHours(this.#query, this.#mark ?? '0', known, others);
    for (const { merchantId, sinceMs } of others) {
      const lastLateMs = performance.now();
      const serial = ++this.#serial;
      this.#merchants.set(merchantId, { serial, timeline: createTimeline(sinceMs), lastLateMs });
    }
    this.add(rows, 1);
    this.#mark = mark;
    this.#readMs = performance.now();
    return rows.filter(({ isSettled }) => !isSettled);
  }

  #reaches(merchantId: string, sinceMs: number): boolean {
    const merchant = this.#merchants.get(merchantId);
    if (merchant !== undefined && merchant.timeline.fromMs <= sinceMs) return true;
    this.#merchants.delete(merchantId);
    return false;
  }

  /** Adds rows to the timelines, or takes them back; lists keep each row once, and for good. */
  add(rows: readonly HourRow[], sign: 1 | -1): void {
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

  /** The rows of hours: those that are not in memory are read at once. */
  async listsOf(
    hours: readonly Pick<LatePoint, 'merchant' | 'transaction' | 'hourMs'>[],
  ): Promise<PackedList[]> {
    const lists = new Map<string, PackedList>();
    const missing = new Map<string, { merchantId: string; hourMs: number }>();
    for (const { merchant, transaction, hourMs } of hours) {
      const key = keyOf(merchant, hourMs);
      const list = this.#lists.get(key);
      if (list !== undefined) lists.set(key, list);
      else missing.set(key, { merchantId: transaction.merchantId, hourMs });
    }
    const made = [...missing].map(([key]) => {
      const list = createList(MERCHANT_RECORD_BYTES, 1, takeOwn);
      lists.set(key, list);
      return { key, list };
    });
    if (made.length > 0) {
      for (const { nth, ...row } of await readHourRows(this.#query, [...missing.values()]))
        insertMerchantRow(made[nth - 1]?.list ?? NO_ROWS, row);
    }
    for (const { key, list } of made) this.#lists.set(key, list);
    return hours.map(({ merchant, hourMs }) => lists.get(keyOf(merchant, hourMs)) ?? NO_ROWS);
  }

  /** The merchant, which is now the one that was used last. */
  use(merchantId: string): LateMerchant {
    const merchant = this.#merchants.get(merchantId);
    if (merchant === undefined) throw new Error('the timeline of a late merchant was not read');
    this.#merchants.delete(merchantId);
    this.#merchants.set(merchantId, merchant);
    return merchant;
  }

  /** Drops merchants that were not used for longest until the others fit. */
  makeRoom(): void {
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

/** @param maturityDays after which the labels of a transaction count as complete */
export function openLateMerchants(query: Query, maturityDays: number): LateParties {
  const past = merchantPast(maturityDays);
  const timelines = new Timelines(query, past);
  const { inTurn } = openTurns();

  async function fold(batch: Batch, indices: readonly number[]): Promise<void> {
    const transactions = indices.map((index) => batch.transactions[index] as Transaction);
    const unsettled = await timelines.read(transactions);
    const points = pointsOf(timelines, transactions, indices);
    await writePoints(query, timelines, past, batch, points, maturityDays);
    timelines.add(unsettled, -1);
    timelines.makeRoom();
  }

  return {
    isLate: (merchantId) => timelines.isLate(merchantId),
    fold: (batch, indices) =>
      inTurn(async () => {
        try {
          await fold(batch, indices);
        } catch (error) {
          // Rows that are still to be taken back would count twice.
          timelines.forgetAll();
          throw error;
        }
      }),
  };
}

/** Those of a merchant follow each other, as prefix sums are kept of the tallies that were counted last. */
function pointsOf(
  timelines: Timelines,
  transactions: readonly Transaction[],
  indices: readonly number[],
): LatePoint[] {
  const nowMs = performance.now();
  const groups = Map.groupBy(transactions.keys(), (at) => transactions[at]?.merchantId ?? '');
  return [...groups].flatMap(([merchantId, group]) => {
    const merchant = timelines.use(merchantId);
    const tallies = talliesOf(merchant.timeline);
    const newestMs = newestHourMs(merchant.timeline);
    return group.map((at) => {
      const [index, transaction] = [indices[at] as number, transactions[at] as Transaction];
      const hourMs = hourOf(transaction.createdAtMs);
      if (hourMs < newestMs) merchant.lastLateMs = nowMs;
      return { index, transaction, hourMs, merchant, tallies };
    });
  });
}

async function writePoints(
  query: Query,
  timelines: Timelines,
  past: PastQuery,
  { arrivals, rows }: Batch,
  points: readonly LatePoint[],
  maturityDays: number,
): Promise<void> {
  const lists = await timelines.listsOf(points);
  // Before the first row of its hour a transaction's newest sibling is in the newest hour before.
  const hoursBefore = points.flatMap((point, at) => {
    const before = countBefore(lists[at] ?? NO_ROWS, keyOfArrival(arrivals, point.index));
    const hourMs = before > 0 ? undefined : newestHourMs(point.merchant.timeline, point.hourMs);
    return hourMs === undefined || hourMs === Number.NEGATIVE_INFINITY
      ? []
      : [{ ...point, hourMs, at }];
  });
  const listsBefore = await timelines.listsOf(hoursBefore);
  const newestOf = new Map(
    hoursBefore.map(({ at }, nth) => {
      const list = listsBefore[nth] ?? NO_ROWS;
      return [at, list.count === 0 ? Number.NaN : timeAt(list, list.count - 1)];
    }),
  );
  const frauds = await past.loadFrauds(
    query,
    points.map(({ transaction }) => ({
      party: transaction.merchantId,
      atMs: transaction.createdAtMs,
      sinceMs: past.sinceMs(transaction),
    })),
  );
  for (const [at, { index, hourMs, tallies }] of points.entries()) {
    const hours = { tallies, frauds: frauds[at]?.known ?? NO_FRAUDS, maturityDays };
    const tallied = { untilMs: hourMs, newestMs: newestOf.get(at) ?? Number.NaN };
    const list = lists[at] ?? NO_ROWS;
    writeLate(hours, list, tallied, arrivals, index, rows.values, rowAt(index));
  }
}
