/**
 * Accounts as a kind of profile: the fold of one transaction into its account's list, and the stored form: floor (24 bytes),
 * ceiling (24), number of frauds (4), 4 zero bytes, frauds (known-frauds.ts), records (40 each).
 */
import { DAY_MS } from '../../kit/words/range.ts';
import {
  ACCOUNT_HISTORY_DAYS,
  ACCOUNT_HISTORY_ENTRIES,
  type AccountPast,
  LABEL_MATURITY_DAYS,
} from '../domain/history.ts';
import { writeAccount } from './account-features.ts';
import {
  ACCOUNT_RECORD_BYTES,
  type AccountProfile,
  boundAccount,
  insertAccountRecord,
  rebuildAccount,
  writeAccountRecord,
} from './account-profile.ts';
import { keyOfArrival } from './arrivals.ts';
import { fraudsBytes, readFrauds, writeFrauds } from './known-frauds.ts';
import {
  adoptList,
  BOUND_BYTES,
  compareKeys,
  countBefore,
  hasAt,
  insertPacked,
  readBound,
  readKey,
  writeBound,
} from './packed-list.ts';
import { type ProfileKind, type ProfileLayout, viewFrom } from './profile.ts';

type AccountKind = ProfileKind<AccountProfile, AccountPast>;

/** @param maturityDays after which the labels of a transaction count as complete */
export function createAccountKind(maturityDays: number): AccountKind {
  const maturityMs = maturityDays * DAY_MS;
  return {
    party: 'account',
    recordBytes: ACCOUNT_RECORD_BYTES,
    hasTallies: false,
    layout: accountLayout,
    partyOf: (transaction) => transaction.accountId,
    writeRecord: writeAccountRecord,
    decode(view, length, take) {
      if (length < FRAUDS_OFFSET) return undefined;
      const frauds = view.getUint32(COUNT_AT, true);
      const recordsOffset = FRAUDS_OFFSET + fraudsBytes(frauds);
      if (length < recordsOffset) return undefined;
      const records = viewFrom(view, recordsOffset);
      const list = adoptList(ACCOUNT_RECORD_BYTES, length - recordsOffset, records, take);
      if (list === undefined) return undefined;
      return {
        floor: readBound(view, 0),
        ceiling: readBound(view, BOUND_BYTES),
        countedTo: 0,
        frauds: readFrauds(view, FRAUDS_OFFSET, frauds),
        list,
      };
    },
    rebuild: rebuildAccount,
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
      writeAccount({ list, end, frauds, maturityMs }, arrivals, arrival, values, rowAt);
      if (!hasAt(list, end, key)) {
        insertAccountRecord(profile, end, arrivals, arrival);
        boundAccount(profile);
      }
      return true;
    },
    /** Records at or before the floor or beyond the ceiling are in no window of a transaction that this profile folds. */
    merge(profile, records, at) {
      const { list, floor, ceiling } = profile;
      const key = readKey(records, at, ACCOUNT_RECORD_BYTES);
      if (compareKeys(key, ceiling) > 0 || compareKeys(key, floor) <= 0) return true;
      insertPacked(list, key, records, at);
      boundAccount(profile);
      return true;
    },
  };
}

const FORMAT = 0x75;
const COUNT_AT = 2 * BOUND_BYTES;
const FRAUDS_OFFSET = COUNT_AT + 8;

const accountLayout: ProfileLayout<AccountProfile> = {
  format: FORMAT,
  prefixBytes: ({ frauds }) => FRAUDS_OFFSET + fraudsBytes(frauds.spans.length),
  writePrefix({ floor, ceiling, frauds }, view) {
    writeBound(view, 0, floor);
    writeBound(view, BOUND_BYTES, ceiling);
    view.setUint32(COUNT_AT, frauds.spans.length, true);
    view.setUint32(COUNT_AT + 4, 0, true);
    writeFrauds(view, FRAUDS_OFFSET, frauds);
  },
};

export const accountKind: AccountKind = createAccountKind(LABEL_MATURITY_DAYS);
