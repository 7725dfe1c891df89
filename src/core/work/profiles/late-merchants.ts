/**
 * Merchants whose transactions come in another order than that of time: a past that is sorted by account, or stored from several files
 * at once. Each of their transactions would need a profile that is rebuilt around it. In place of profiles this process keeps what
 * the rows of these merchants sum up to by the hour, reads what was stored since with each batch, and has the features of all late
 * transactions of a batch by two statements.
 */
import type { Query } from '../../../kit/database/pool.ts';
import { openTurns } from '../../../kit/process/turns.ts';
import { hourOf } from '../../../kit/words/range.ts';
import type { Transaction } from '../../domain/transaction.ts';
import type { KindBatch } from '../../profile/fold-batch.ts';
import { seenFromMs, writeLate } from '../../profile/merchant-features.ts';
import { sumMinor } from '../../profile/merchant-profile.ts';
import {
  addHour,
  createTimeline,
  newestHourMs,
  type Timeline,
  talliesOf,
} from '../../profile/merchant-timeline.ts';
import { packLetters } from '../../profile/packed-list.ts';
import type { Profile } from '../../profile/profile.ts';
import type { Tallies } from '../../profile/tallies.ts';
import { rowAt } from '../../score/feature-rows.ts';
import { type HourRow, readHours, readOwnHours } from '../../store/profiles/merchant-hours.ts';
import { merchantPast, type PastQuery } from '../../store/profiles/past-queries.ts';
import type { LateParties } from './profiles.ts';

/** So long after its last late transaction a merchant has no profile. Shorter: what comes late now and then costs a rebuild each time. */
const LATE_MS = 10_000;
/** Bytes of all timelines: a thousand merchants of 700 hours each. */
const BYTES_MAX = 16 * 1024 * 1024;

type LateMerchant = { readonly timeline: Timeline; lastLateMs: number };

type Batch = KindBatch<Profile, unknown>;

/** A transaction of a batch, with the tallies of its merchant. */
type LatePoint = {
  readonly index: number;
  readonly transaction: Transaction;
  readonly tallies: Tallies;
};

/** What this process knows of late merchants. */
class Timelines {
  /** The merchant that was used last is the last. */
  readonly #merchants = new Map<string, LateMerchant>();
  readonly #query: Query;
  readonly #past: PastQuery;
  /** Rows of database transactions before it are in the timelines; undefined while there are none. */
  #mark: string | undefined;
  #readMs = Number.NEGATIVE_INFINITY;

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
      this.#merchants.set(merchantId, { timeline: createTimeline(sinceMs), lastLateMs });
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

  /** Adds rows to the timelines, or takes them back. */
  add(rows: readonly HourRow[], sign: 1 | -1): void {
    for (const { merchantId, hourMs, currency, count, sum } of rows) {
      const timeline = this.#merchants.get(merchantId)?.timeline;
      if (timeline === undefined || hourMs < timeline.fromMs) continue;
      addHour(timeline, {
        bucketMs: hourMs,
        currency: packLetters(currency),
        count: sign * count,
        sum: sign * sumMinor(sum, currency),
      });
    }
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

/** @param maturityDays after which the labels of a transaction count as complete */
export function openLateMerchants(query: Query, maturityDays: number): LateParties {
  const past = merchantPast(maturityDays);
  const timelines = new Timelines(query, past);
  const { inTurn } = openTurns();

  async function fold(batch: Batch, indices: readonly number[]): Promise<void> {
    const transactions = indices.map((index) => batch.transactions[index] as Transaction);
    const unsettled = await timelines.read(transactions);
    const points = pointsOf(timelines, transactions, indices);
    await writePoints(query, past, batch, points, maturityDays);
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
      if (hourOf(transaction.createdAtMs) < newestMs) merchant.lastLateMs = nowMs;
      return { index, transaction, tallies };
    });
  });
}

async function writePoints(
  query: Query,
  past: PastQuery,
  { arrivals, rows }: Batch,
  points: readonly LatePoint[],
  maturityDays: number,
): Promise<void> {
  const ownHours = await readOwnHours(
    query,
    points.map(({ transaction }) => ({
      transaction,
      hourMs: hourOf(transaction.createdAtMs),
      sinceMs: seenFromMs(transaction.createdAtMs, maturityDays),
    })),
  );
  const frauds = await past.loadFrauds(
    query,
    points.map(({ transaction }) => ({
      party: transaction.merchantId,
      atMs: transaction.createdAtMs,
      sinceMs: past.sinceMs(transaction),
    })),
  );
  for (const [at, { index, transaction, tallies }] of points.entries()) {
    const [own, around] = [ownHours[at], frauds[at]];
    if (own === undefined || around === undefined) throw new Error('fewer hours than points');
    const ownHour = {
      untilMs: hourOf(transaction.createdAtMs),
      count: own.count,
      amounts: own.amounts,
      sum: own.sum === null ? 0 : sumMinor(own.sum, transaction.currency),
      accounts: own.accounts,
      newestMs: own.newestMs ?? Number.NaN,
    };
    const hours = { tallies, frauds: around.known, maturityDays };
    writeLate(hours, ownHour, arrivals, index, rows.values, rowAt(index));
  }
}
