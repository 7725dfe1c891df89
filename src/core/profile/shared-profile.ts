/**
 * Devices, and networks of addresses, as kinds of profile: parties that several accounts share. A profile is the packed list of every
 * known transaction after `floor` and up to `ceiling`, and the times of the oldest ones, as a list that was cut knows no age. Stored:
 * floor and ceiling (24 bytes each), since (8), oldest-to (8), numbers of oldest and of frauds (4 each), oldest (8 each), frauds
 * (tallies.ts), records (24 each).
 */
import { DAY_MS, HOUR_MS } from '../../kit/words/range.ts';
import { featureIndex } from '../domain/feature-schema.ts';
import {
  type KnownFrauds,
  SHARED_ACCOUNTS_MAX,
  SHARED_ENTRIES,
  SHARED_HISTORY_DAYS,
  SHARED_LIST_MS,
  SHARED_OLDEST,
  SHARED_OLDEST_BEFORE,
  SHARED_WINDOWS_MS,
  type SharedPast,
} from '../domain/history.ts';
import { partyOfAddress } from '../domain/personal.ts';
import { addDistinct, beginDistinct } from './arithmetic.ts';
import { type Arrivals, arrivalOf, keyOfArrival } from './arrivals.ts';
import {
  AFTER_ALL,
  adoptList,
  BOUND_BYTES,
  compareKeys,
  countBefore,
  countOlder,
  createList,
  dropOldest,
  hasAt,
  insertPacked,
  keyAt,
  keyOf,
  openRecord,
  type PackedList,
  type RecordKey,
  readBound,
  readKey,
  takeOwn,
  timeAt,
  writeBound,
  writeKey,
} from './packed-list.ts';
import { type Profile, type ProfileKind, type ProfileLayout, viewFrom } from './profile.ts';
import { fraudsBytes, knowsFrauds, readFrauds, seenFrauds, writeFrauds } from './tallies.ts';

export type SharedProfile = Profile & {
  floor: RecordKey;
  ceiling: RecordKey;
  readonly frauds: KnownFrauds;
  /** Older transactions are in no part of the profile. */
  sinceMs: number;
  /** Rising times, each once, of all transactions up to the floor that were created from `sinceMs` to `oldestToMs`. */
  readonly oldest: number[];
  /** Infinity where no transaction lies between the oldest and the floor. */
  oldestToMs: number;
};

export type SharedKind = ProfileKind<SharedProfile, SharedPast> & {
  readonly party: 'device' | 'address';
  /** Writes the features of a transaction at `ms` into its row. */
  readonly write: (seen: Seen, ms: number, values: Float64Array, rowAt: number) => void;
};

/** Siblings of a transaction at its party, in sums. */
type Seen = {
  readonly accounts: number;
  readonly firstMs: number;
  readonly frauds: KnownFrauds;
};

const RECORD_BYTES = 24;
/** Offset in a record of the account's hash (u32), which stands after the key. */
const ACCOUNT_AT = 16;
const HISTORY_MS = SHARED_HISTORY_DAYS * DAY_MS;
/** A longer list is cut to SHARED_KEPT_ENTRIES: fewer, and a late transaction lacks siblings; more, and each cut moves more. */
export const SHARED_LIST_ENTRIES = 1536;
const SHARED_KEPT_ENTRIES = 1280;
/** So many records are never dropped, however old they are. Fewer: a past in any order is asked for row by row; more: more memory. */
export const SHARED_LIST_ENTRIES_MIN = 384;
/** So many records are dropped at once. Fewer: more moves of the others. */
export const DROPPED_MIN = 64;

type SharedOptions = Pick<SharedKind, 'party' | 'partyOf'> & {
  /** Features that the kind writes. */
  readonly accountsAt: number;
  readonly ageAt: number;
  readonly fraudsAt: number;
};

function createSharedKind(options: SharedOptions): SharedKind {
  const { accountsAt, ageAt, fraudsAt, ...kind } = options;
  const windowMs = SHARED_WINDOWS_MS[kind.party];
  const write = writerOf(options);
  return {
    ...kind,
    write,
    recordBytes: RECORD_BYTES,
    hasTallies: false,
    layout: sharedLayout,
    writeRecord,
    decode(view, length, take) {
      if (length < OLDEST_OFFSET) return undefined;
      const oldest = view.getUint32(OLDEST_AT, true);
      const frauds = view.getUint32(FRAUDS_AT, true);
      const fraudsOffset = OLDEST_OFFSET + oldest * TIME_BYTES;
      const recordsOffset = fraudsOffset + fraudsBytes(frauds);
      if (length < recordsOffset) return undefined;
      const records = viewFrom(view, recordsOffset);
      const list = adoptList(RECORD_BYTES, length - recordsOffset, records, take);
      if (list === undefined) return undefined;
      return {
        floor: readBound(view, 0),
        ceiling: readBound(view, BOUND_BYTES),
        countedTo: 0,
        sinceMs: view.getFloat64(SINCE_AT, true),
        oldestToMs: view.getFloat64(OLDEST_TO_AT, true),
        oldest: Array.from({ length: oldest }, (_, at) =>
          view.getFloat64(OLDEST_OFFSET + at * TIME_BYTES, true),
        ),
        frauds: readFrauds(view, fraudsOffset, frauds),
        list,
      };
    },
    rebuild(past, take = takeOwn) {
      const { rows, floor, ceiling, oldest, frauds } = past;
      const list = createList(RECORD_BYTES, rows.length + 2, take);
      const profile: SharedProfile = {
        floor: keyOf(floor),
        ceiling: ceiling === null ? AFTER_ALL : keyOf(ceiling),
        ...{ countedTo: 0, sinceMs: oldest.sinceMs, frauds, list },
        oldest: oldest.times.filter((ms) => ms <= floor.createdAtMs),
        oldestToMs: oldest.toMs <= floor.createdAtMs ? oldest.toMs : Infinity,
      };
      for (const row of rows) {
        insert(list, list.count, arrivalOf(row), 0);
      }
      return profile;
    },
    /** Exact between floor and ceiling where the list has the window, or its newest SHARED_ENTRIES, and the age is known. */
    fold(profile, arrivals, arrival, values, rowAt) {
      const key = keyOfArrival(arrivals, arrival);
      const { list, floor, ceiling, frauds } = profile;
      const { ms } = key;
      if (compareKeys(key, ceiling) > 0 || compareKeys(key, floor) <= 0) return false;
      const end = countBefore(list, key);
      if (end < SHARED_ENTRIES && floor.ms > ms - windowMs) return false;
      const fromMs = ms - HISTORY_MS + 1;
      if (!knowsFrauds(frauds, ms, fromMs)) return false;
      const firstMs = findFirst(profile, fromMs, end, ms);
      if (firstMs === undefined) return false;
      const start = Math.max(end - SHARED_ENTRIES, countOlder(list, ms - windowMs + 1));
      const accounts = countAccounts(profile, start, end, arrivals.account[arrival]);
      write({ accounts, firstMs, frauds }, ms, values, rowAt);
      const isKnown = hasAt(list, end, key);
      if (!isKnown) insert(list, end, arrivals, arrival);
      if (!isKnown || end === list.count - 1) bound(profile, kind.party);
      return true;
    },
    /** A record up to the floor may be one of the oldest; beyond the ceiling the profile folds nothing. */
    merge(profile, records, at) {
      const key = readKey(records, at, RECORD_BYTES);
      if (compareKeys(key, profile.ceiling) > 0) return true;
      if (compareKeys(key, profile.floor) <= 0) {
        noteOldest(profile, key.ms);
        return true;
      }
      insertPacked(profile.list, key, records, at);
      bound(profile, kind.party);
      return true;
    },
  };
}

const writerOf =
  ({ accountsAt, ageAt, fraudsAt }: SharedOptions): SharedKind['write'] =>
  ({ accounts, firstMs, frauds }, ms, values, rowAt) => {
    values[rowAt + accountsAt] = Math.min(accounts, SHARED_ACCOUNTS_MAX);
    values[rowAt + ageAt] = (ms - firstMs) / HOUR_MS;
    values[rowAt + fraudsAt] = seenFrauds(frauds, ms, ms - HISTORY_MS + 1).length;
  };

function insert(list: PackedList, index: number, arrivals: Arrivals, arrival: number): void {
  const at = openRecord(list, index);
  writeRecord(list.records, at, arrivals, arrival);
}

function writeRecord(view: DataView, at: number, arrivals: Arrivals, arrival: number): void {
  writeKey(view, at, RECORD_BYTES, keyOfArrival(arrivals, arrival));
  view.setUint32(at + ACCOUNT_AT, arrivals.account[arrival] as number, true);
}

/**
 * Time of the first of the `end` siblings that was created from `fromMs` on; the time of the transaction itself where there is none,
 * undefined where the profile does not know it.
 */
function findFirst(profile: SharedProfile, fromMs: number, end: number, ownMs: number) {
  const { sinceMs, oldest, oldestToMs, floor, list } = profile;
  if (fromMs < sinceMs) return undefined;
  const first = oldest.find((ms) => ms >= fromMs);
  if (first !== undefined) return first;
  if (oldestToMs < Infinity && floor.ms >= fromMs) return undefined;
  const index = countOlder(list, fromMs);
  return index < end ? timeAt(list, index) : ownMs;
}

/** Distinct accounts of the records [start, end) and of a transaction, at most SHARED_ACCOUNTS_MAX. */
function countAccounts({ list }: SharedProfile, start: number, end: number, own = 0): number {
  beginDistinct();
  let accounts = addDistinct(own);
  for (let index = end - 1; index >= start && accounts < SHARED_ACCOUNTS_MAX; index--) {
    accounts = addDistinct(list.records.getUint32(index * RECORD_BYTES + ACCOUNT_AT, true));
  }
  return accounts;
}

/** Drops records that no window of transactions in time reaches, and those beyond what a list keeps: a rebuild reads more. */
function bound(profile: SharedProfile, party: SharedKind['party']): void {
  const { list } = profile;
  const { count } = list;
  const past = countOlder(list, timeAt(list, count - 1) - SHARED_LIST_MS[party]);
  const spare = Math.min(past, count - SHARED_LIST_ENTRIES_MIN);
  const excess = count > SHARED_LIST_ENTRIES ? count - SHARED_KEPT_ENTRIES : 0;
  const dropped = Math.max(spare < DROPPED_MIN ? 0 : spare, excess);
  if (dropped === 0) return;
  const tooOldMs = timeAt(list, count - 1) - HISTORY_MS;
  for (let index = 0; index < dropped; index++) noteOldest(profile, timeAt(list, index), tooOldMs);
  profile.floor = keyAt(list, dropped - 1);
  dropOldest(list, dropped);
}

/**
 * Notes the time of a transaction up to the floor, where it is among the oldest.
 * @param tooOldMs times up to this are dropped first, except for SHARED_OLDEST_BEFORE of them
 */
function noteOldest(profile: SharedProfile, ms: number, tooOldMs = -Infinity): void {
  const { list, sinceMs, oldest, oldestToMs } = profile;
  if (ms < sinceMs || ms > oldestToMs || oldest.includes(ms)) return;
  const next = oldest.findIndex((other) => other > ms);
  oldest.splice(next < 0 ? oldest.length : next, 0, ms);
  if (oldest.length > SHARED_OLDEST) {
    if ((oldest[SHARED_OLDEST_BEFORE] as number) <= tooOldMs) {
      oldest.shift();
      profile.sinceMs = oldest[0] as number;
    } else {
      oldest.pop();
      profile.oldestToMs = oldest.at(-1) as number;
    }
  }
  // The prefix is out of date.
  list.isCut = true;
}

const SHARED_FORMAT = 0x79;
const TIME_BYTES = 8;
const SINCE_AT = 2 * BOUND_BYTES;
const OLDEST_TO_AT = SINCE_AT + 8;
const OLDEST_AT = OLDEST_TO_AT + 8;
const FRAUDS_AT = OLDEST_AT + 4;
const OLDEST_OFFSET = FRAUDS_AT + 4;

const sharedLayout: ProfileLayout<SharedProfile> = {
  format: SHARED_FORMAT,
  prefixBytes: ({ oldest, frauds }) =>
    OLDEST_OFFSET + oldest.length * TIME_BYTES + fraudsBytes(frauds.spans.length),
  writePrefix({ floor, ceiling, sinceMs, oldestToMs, oldest, frauds }, view) {
    writeBound(view, 0, floor);
    writeBound(view, BOUND_BYTES, ceiling);
    view.setFloat64(SINCE_AT, sinceMs, true);
    view.setFloat64(OLDEST_TO_AT, oldestToMs, true);
    view.setUint32(OLDEST_AT, oldest.length, true);
    view.setUint32(FRAUDS_AT, frauds.spans.length, true);
    for (const [at, ms] of oldest.entries()) {
      view.setFloat64(OLDEST_OFFSET + at * TIME_BYTES, ms, true);
    }
    writeFrauds(view, OLDEST_OFFSET + oldest.length * TIME_BYTES, frauds);
  },
};

export const deviceKind: SharedKind = createSharedKind({
  party: 'device',
  partyOf: (transaction) => transaction.deviceId,
  accountsAt: featureIndex('device_accounts_30d'),
  ageAt: featureIndex('device_age_hours'),
  fraudsAt: featureIndex('device_frauds'),
});

export const addressKind: SharedKind = createSharedKind({
  party: 'address',
  partyOf: (transaction) => partyOfAddress(transaction.ip),
  accountsAt: featureIndex('ip_accounts_24h'),
  ageAt: featureIndex('ip_age_hours'),
  fraudsAt: featureIndex('ip_frauds'),
});

/** The kinds of party that accounts share. */
export const SHARED_KINDS: readonly SharedKind[] = [deviceKind, addressKind];
