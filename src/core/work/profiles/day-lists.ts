/** Rows of the hours of late merchants that batches asked for, with all rows that are stored since. */
import { LRUCache } from 'lru-cache';
import type { Query } from '../../../kit/database/pool.ts';
import { dayOf, HOUR_MS, hourOf } from '../../../kit/words/range.ts';
import { insertMerchantRow, MERCHANT_RECORD_BYTES } from '../../profile/merchant-profile.ts';
import { countOlder, createList, type PackedList, takeOwn } from '../../profile/packed-list.ts';
import { type HourRow, readHourRows } from '../../store/profiles/merchant-hours.ts';

/** Bytes of the lists of days: 27,000 days of ten rows. */
const LISTS_BYTES_MAX = 24 * 1024 * 1024;
/** Bytes of the objects around the rows of a list: 510 on the heap. Days with few rows would fill the heap beside small lists. */
const LIST_BYTES = 600;
export const NO_ROWS = createList(MERCHANT_RECORD_BYTES, 1, takeOwn);
const NOW = Promise.resolve();
/** Columns of a row that no profile of a merchant has. */
const UNREAD = { merchantId: '', corridor: '', deviceId: null, country: null } as const;

/** A merchant whose days are named by its serial: lists of a merchant that was dropped are nobody's. */
type Numbered = { readonly merchantId: string; readonly serial: number };

/** Rows of a day. Lists of hours would take more memory than their rows. */
export type DayList = {
  readonly list: PackedList;
  /** The hours whose rows are in the list, or are being read: a bit each. */
  hours: number;
  /** The end of all readings for the list. */
  read: Promise<unknown>;
};

/** An hour of a merchant, with the key of its day. */
export type Hour = {
  readonly merchantId: string;
  readonly hourMs: number;
  readonly dayKey: string;
};
type Unread = Hour & { readonly day: DayList };
/** The days that a batch holds, by its hours. */
export type BatchHours = ReadonlyMap<string, DayList>;

export class DayLists {
  readonly #days = new LRUCache<string, DayList>({
    maxSize: LISTS_BYTES_MAX,
    sizeCalculation: ({ list }) => LIST_BYTES + list.records.byteLength,
  });
  readonly #query: Query;

  constructor(query: Query) {
    this.#query = query;
  }

  /** Adds a stored row where the rows of its hour are in a list, or are being read. */
  insert(merchant: Numbered, row: HourRow & { readonly transactionId: string }): void {
    const hourMs = hourOf(row.createdAtMs);
    const key = keyOfDay(merchant, hourMs);
    const day = this.#days.get(key);
    if (day === undefined || (day.hours & bitOf(hourMs)) === 0) return;
    insertMerchantRow(day.list, { ...row, ...UNREAD });
    this.#days.set(key, day);
  }

  /** Holds the rows of hours for a batch: those that are not in memory are read at once. */
  async hold(missing: ReadonlyMap<string, Hour>, hours: Map<string, DayList>): Promise<void> {
    const unread: Unread[] = [];
    for (const [key, hour] of missing) {
      const known = this.#days.get(hour.dayKey);
      const list = known?.list ?? createList(MERCHANT_RECORD_BYTES, 1, takeOwn);
      const day = known ?? { list, hours: 0, read: NOW };
      hours.set(key, day);
      if (known === undefined) this.#days.set(hour.dayKey, day);
      if ((day.hours & bitOf(hour.hourMs)) !== 0) continue;
      // Rows that are stored while the others are read go into the list, too.
      day.hours |= bitOf(hour.hourMs);
      unread.push({ ...hour, day });
    }
    if (unread.length > 0) {
      const read = this.#read(unread);
      for (const day of new Set(unread.map((hour) => hour.day)))
        day.read = Promise.all([day.read, read]);
    }
    await Promise.all(new Set([...missing.keys()].map((key) => hours.get(key)?.read)));
  }

  async #read(unread: readonly Unread[]): Promise<void> {
    try {
      const rows = await readHourRows(this.#query, unread);
      for (const { nth, ...row } of rows) {
        insertMerchantRow(unread[nth - 1]?.day.list ?? NO_ROWS, { ...row, ...UNREAD });
      }
      // A list that was dropped meanwhile may lack rows that were stored since it was asked for.
      for (const { dayKey, day } of unread)
        if (this.#days.peek(dayKey) === day) this.#days.set(dayKey, day);
    } catch (error) {
      for (const { dayKey } of unread) this.#days.delete(dayKey);
      throw error;
    }
  }
}

export const keyOfHour = ({ serial }: Numbered, hourMs: number) => `${serial} ${hourMs}`;

export const keyOfDay = ({ serial }: Numbered, hourMs: number) => `${serial} ${dayOf(hourMs)}`;

const bitOf = (hourMs: number) => 1 << ((hourMs - dayOf(hourMs)) / HOUR_MS);

/** The rows of a day from an hour on, until the day changes. Hours after the hour may lack theirs. */
export function listFrom(hours: BatchHours, merchant: Numbered, hourMs: number): PackedList {
  const list = hours.get(keyOfHour(merchant, hourMs))?.list ?? NO_ROWS;
  const start = countOlder(list, hourMs);
  const { buffer, byteOffset } = list.records;
  const records = new DataView(buffer, byteOffset + start * MERCHANT_RECORD_BYTES);
  return { ...list, count: list.count - start, records };
}
