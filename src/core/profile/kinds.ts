/** The two kinds of profile: the fold of one transaction into the profile of its party, and the stored form. */

import { DAY_MS, hourOf } from '../../kit/words/range.ts';
import {
  ACCOUNT_HISTORY_DAYS,
  ACCOUNT_HISTORY_ENTRIES,
  type AccountPast,
  LABEL_MATURITY_DAYS,
  MERCHANT_DISTINCT_ENTRIES,
  type MerchantPast,
} from '../domain/history.ts';
import { writeAccount } from './account-features.ts';
import { isOfVersion, NO_NUMBERS, type Numbers } from './account-numbers.ts';
import {
  type AccountProfile,
  boundAccount,
  insertAccountRecord,
  rebuildAccount,
  writeAccountRecord,
} from './account-profile.ts';
import { keyOfArrival } from './arrivals.ts';
import { ALL_TALLIES, seenFromMs, writeMerchant } from './merchant-features.ts';
import {
  boundMerchant,
  insertMerchantRecord,
  MERCHANT_RECORD_BYTES,
  type MerchantProfile,
  rebuildMerchant,
  writeMerchantRecord,
} from './merchant-profile.ts';
import {
  adoptList,
  BOUND_BYTES,
  compareKeys,
  countBefore,
  hasAt,
  insertPacked,
  readBound,
  readKey,
  takeOwn,
  writeBound,
} from './packed-list.ts';
import { type ProfileKind, type ProfileLayout, viewFrom } from './profile.ts';
import {
  fraudsBytes,
  knowsFrauds,
  NO_TALLIES,
  readFrauds,
  TALLY_BYTES,
  writeFrauds,
} from './tallies.ts';

/**
 * Accounts as a kind of profile: the fold of one transaction into its account's list, and the stored form: floor (24 bytes),
 * ceiling (24), number of frauds (4), version of the declared numbers (4), frauds (tallies.ts), records (40 each, more with numbers).
 */
type AccountKind = ProfileKind<AccountProfile, AccountPast>;

/**
 * @param maturityDays after which the labels of a transaction count as complete
 * @param numbers of the records
 */
export function createAccountKind(
  maturityDays: number,
  numbers: Numbers = NO_NUMBERS,
): AccountKind {
  const maturityMs = maturityDays * DAY_MS;
  const { recordBytes, version, fields } = numbers;
  const kind: AccountKind = {
    party: 'account',
    recordBytes,
    numbers,
    hasTallies: false,
    // Records of another width have another format.
    layout: version === 0 ? accountLayout : { ...accountLayout, format: fields.length },
    partyOf: (transaction) => transaction.accountId,
    writeRecord: (view, at, arrivals, arrival) =>
      writeAccountRecord(view, at, arrivals, arrival, numbers),
    /** Undefined also for a profile with other numbers. */
    decode(view, length, take) {
      if (view.getUint32(VERSION_AT, true) !== version) return undefined;
      const frauds = view.getUint32(COUNT_AT, true);
      const recordsOffset = FRAUDS_OFFSET + fraudsBytes(frauds);
      if (length < recordsOffset) return undefined;
      const records = viewFrom(view, recordsOffset);
      const list = adoptList(recordBytes, length - recordsOffset, records, take);
      if (list === undefined) return undefined;
      return {
        floor: readBound(view, 0),
        ceiling: readBound(view, BOUND_BYTES),
        countedTo: 0,
        frauds: readFrauds(view, FRAUDS_OFFSET, frauds),
        numbers,
        list,
      };
    },
    rebuild: (past, take) => rebuildAccount(past, take, numbers),
    /**
     * Exact for every transaction after the floor and up to the ceiling that sees a full history:
     * ACCOUNT_HISTORY_ENTRIES siblings, or all of the last ACCOUNT_HISTORY_DAYS.
     */
    fold(profile, arrivals, arrival, values, rowAt) {
      const key = keyOfArrival(arrivals, arrival);
      const { list, frauds, floor, ceiling } = profile;
      if (compareKeys(key, ceiling) > 0 || compareKeys(key, floor) <= 0) return false;
      const end = countBefore(list, key);
      const isComplete =
        end >= ACCOUNT_HISTORY_ENTRIES || floor.ms <= key.ms - ACCOUNT_HISTORY_DAYS * DAY_MS;
      if (!isComplete) return false;
      writeAccount({ list, end, frauds, numbers, maturityMs }, arrivals, arrival, values, rowAt);
      if (!hasAt(list, end, key)) {
        insertAccountRecord(profile, end, arrivals, arrival);
        boundAccount(profile);
      }
      return true;
    },
    /** Records at or before the floor or beyond the ceiling are in no window of a transaction that this profile folds. */
    merge(profile, records, at) {
      const { list, floor, ceiling } = profile;
      if (!isOfVersion(records, at, numbers)) return false;
      const key = readKey(records, at, recordBytes);
      if (compareKeys(key, ceiling) > 0 || compareKeys(key, floor) <= 0) return true;
      insertPacked(list, key, records, at);
      boundAccount(profile);
      return true;
    },
    withNumbers(next) {
      if (made.numbers?.version !== next.version) made = createAccountKind(maturityDays, next);
      return made;
    },
  };
  let made = kind;
  return kind;
}

const ACCOUNT_FORMAT = 0x75;
const COUNT_AT = 2 * BOUND_BYTES;
const VERSION_AT = COUNT_AT + 4;
const FRAUDS_OFFSET = VERSION_AT + 4;

const accountLayout: ProfileLayout<AccountProfile> = {
  format: ACCOUNT_FORMAT,
  prefixBytes: ({ frauds }) => FRAUDS_OFFSET + fraudsBytes(frauds.spans.length),
  writePrefix({ floor, ceiling, frauds, numbers }, view) {
    writeBound(view, 0, floor);
    writeBound(view, BOUND_BYTES, ceiling);
    view.setUint32(COUNT_AT, frauds.spans.length, true);
    view.setUint32(VERSION_AT, numbers.version, true);
    writeFrauds(view, FRAUDS_OFFSET, frauds);
  },
};

export const accountKind: AccountKind = createAccountKind(LABEL_MATURITY_DAYS);

/**
 * Merchants as a kind of profile: the fold of one transaction into its merchant's list and tallies, and the stored form:
 * horizon (24 bytes), ceiling (24), known-from (8), counted-to (8), number of tallies (4), number of frauds (4), maturity of
 * labels in days (4), 4 zero bytes, tallies (24 each), frauds (tallies.ts), records (32 each).
 */
type MerchantKind = ProfileKind<MerchantProfile, MerchantPast>;

/** @param maturityDays after which the labels of a transaction count as complete */
export function createMerchantKind(maturityDays: number): MerchantKind {
  return {
    party: 'merchant',
    recordBytes: MERCHANT_RECORD_BYTES,
    hasTallies: true,
    layout: merchantLayout,
    partyOf: (transaction) => transaction.merchantId,
    writeRecord: writeMerchantRecord,
    /** Undefined also for a profile with another maturity of labels, whose tallies have other hours. */
    decode(view, length, take) {
      if (view.getUint32(MATURITY_AT, true) !== maturityDays) return undefined;
      const tallies = view.getUint32(TALLIES_AT, true);
      const frauds = view.getUint32(FRAUDS_AT, true);
      const fraudsOffset = TALLIES_OFFSET + tallies * TALLY_BYTES;
      const recordsOffset = fraudsOffset + fraudsBytes(frauds);
      if (length < recordsOffset) return undefined;
      const records = viewFrom(view, recordsOffset);
      const list = adoptList(MERCHANT_RECORD_BYTES, length - recordsOffset, records, take);
      if (list === undefined) return undefined;
      return {
        horizon: readBound(view, 0),
        ceiling: readBound(view, BOUND_BYTES),
        knownFromMs: view.getFloat64(KNOWN_FROM_AT, true),
        countedTo: view.getFloat64(COUNTED_TO_AT, true),
        maturityDays,
        tallies:
          tallies === 0 ? NO_TALLIES : { packed: viewFrom(view, TALLIES_OFFSET), length: tallies },
        frauds: readFrauds(view, fraudsOffset, frauds),
        list,
      };
    },
    rebuild: (past, take = takeOwn) => rebuildMerchant(past, take, maturityDays),
    /**
     * Exact after the horizon and up to the ceiling. A transaction at or before the horizon may or may not be in a
     * tally, which holds no ids.
     */
    fold(profile, arrivals, arrival, values, rowAt) {
      const key = keyOfArrival(arrivals, arrival);
      const { list, horizon, ceiling } = profile;
      if (compareKeys(key, ceiling) > 0 || compareKeys(key, horizon) <= 0) return false;
      const index = countBefore(list, key);
      if (!isComplete(profile, index, key.ms)) return false;
      writeMerchant(profile, index, ALL_TALLIES, arrivals, arrival, values, rowAt);
      if (!hasAt(list, index, key)) {
        insertMerchantRecord(profile, index, arrivals, arrival);
        boundMerchant(profile);
      }
      return true;
    },
    /**
     * False where a tally may or may not count a record, as tallies hold no ids. A transaction older than all tallies
     * counts nowhere.
     */
    merge(profile, records, at) {
      const { list, horizon, ceiling, knownFromMs } = profile;
      const key = readKey(records, at, MERCHANT_RECORD_BYTES);
      if (compareKeys(key, horizon) <= 0) return hourOf(key.ms) < knownFromMs;
      if (compareKeys(key, ceiling) > 0) return true;
      insertPacked(list, key, records, at);
      boundMerchant(profile);
      return true;
    },
  };
}

function isComplete(profile: MerchantProfile, index: number, ms: number): boolean {
  const { knownFromMs, horizon, frauds, maturityDays } = profile;
  const sinceMs = seenFromMs(ms, maturityDays);
  if (sinceMs < knownFromMs) return false;
  if (frauds.spans.length > 0 && !knowsFrauds(frauds, ms, sinceMs)) return false;
  if (index >= MERCHANT_DISTINCT_ENTRIES) return true;
  // The newest sibling is in the list, or there is none: tallies have no times.
  return horizon.ms < hourOf(ms) && (index > 0 || horizon.ms < sinceMs);
}

const MERCHANT_FORMAT = 0x77;
const KNOWN_FROM_AT = 2 * BOUND_BYTES;
const COUNTED_TO_AT = KNOWN_FROM_AT + 8;
const TALLIES_AT = COUNTED_TO_AT + 8;
const FRAUDS_AT = TALLIES_AT + 4;
const MATURITY_AT = FRAUDS_AT + 4;
const TALLIES_OFFSET = MATURITY_AT + 8;

const merchantLayout: ProfileLayout<MerchantProfile> = {
  format: MERCHANT_FORMAT,
  prefixBytes: ({ tallies, frauds }) =>
    TALLIES_OFFSET + tallies.length * TALLY_BYTES + fraudsBytes(frauds.spans.length),
  writePrefix(profile, view) {
    const { tallies, frauds, horizon, ceiling, knownFromMs, countedTo, maturityDays } = profile;
    writeBound(view, 0, horizon);
    writeBound(view, BOUND_BYTES, ceiling);
    view.setFloat64(KNOWN_FROM_AT, knownFromMs, true);
    view.setFloat64(COUNTED_TO_AT, countedTo, true);
    view.setUint32(TALLIES_AT, tallies.length, true);
    view.setUint32(FRAUDS_AT, frauds.spans.length, true);
    view.setUint32(MATURITY_AT, maturityDays, true);
    view.setUint32(MATURITY_AT + 4, 0, true);
    const { buffer, byteOffset } = tallies.packed;
    const tallied = new Uint8Array(buffer, byteOffset, tallies.length * TALLY_BYTES);
    new Uint8Array(view.buffer, view.byteOffset + TALLIES_OFFSET, tallied.length).set(tallied);
    writeFrauds(view, TALLIES_OFFSET + tallied.length, frauds);
  },
};

export const merchantKind: MerchantKind = createMerchantKind(LABEL_MATURITY_DAYS);
