/** Accounts as a kind of profile: the fold of one transaction into its account's list. */
import { DAY_MS } from '../../kit/words/utc-bucket.ts';
import {
  ACCOUNT_HISTORY_DAYS,
  ACCOUNT_HISTORY_ENTRIES,
  type AccountPast,
  LABEL_MATURITY_DAYS,
} from '../domain/history.ts';
import { accountLayout, decodeAccount } from './account-codec.ts';
import { writeAccount } from './account-features.ts';
import {
  ACCOUNT_ITEM_BYTES,
  type AccountProfile,
  boundAccount,
  insertAccountItem,
  rebuildAccount,
  writeAccountItem,
} from './account-profile.ts';
import { type Arrivals, placeOfArrival } from './arrivals.ts';
import { comparePlaces, countBefore, holdsAt, insertPacked, readItemPlace } from './packed-list.ts';
import type { ProfileKind } from './profile.ts';

type AccountKind = ProfileKind<AccountProfile, AccountPast>;

/** @param maturityDays after which the labels of a transaction count as complete */
export function createAccountKind(maturityDays: number): AccountKind {
  const maturityMs = maturityDays * DAY_MS;
  return {
    party: 'account',
    itemBytes: ACCOUNT_ITEM_BYTES,
    layout: accountLayout,
    partyOf: (transaction) => transaction.accountId,
    writeItem: writeAccountItem,
    decode: decodeAccount,
    rebuild: rebuildAccount,
    fold: (profile, arrivals, arrival, values, rowAt) =>
      fold(profile, maturityMs, arrivals, arrival, values, rowAt),
    merge,
  };
}

/**
 * Items at or before the floor or beyond the ceiling are in no window of a transaction that this profile folds.
 */
function merge(profile: AccountProfile, items: DataView, at: number): boolean {
  const { list, floor, ceiling } = profile;
  const place = readItemPlace(items, at, ACCOUNT_ITEM_BYTES);
  if (comparePlaces(place, ceiling) > 0 || comparePlaces(place, floor) <= 0) return true;
  insertPacked(list, place, items, at);
  boundAccount(profile);
  return true;
}

/**
 * Exact for every transaction after the floor and up to the ceiling that sees a full history:
 * ACCOUNT_HISTORY_ENTRIES siblings, or all of the last ACCOUNT_HISTORY_DAYS.
 */
function fold(
  profile: AccountProfile,
  maturityMs: number,
  arrivals: Arrivals,
  arrival: number,
  values: Float64Array,
  rowAt: number,
): boolean {
  const place = placeOfArrival(arrivals, arrival);
  const { list, frauds, floor, ceiling } = profile;
  if (comparePlaces(place, ceiling) > 0 || comparePlaces(place, floor) <= 0) return false;
  const end = countBefore(list, place);
  const isComplete =
    end >= ACCOUNT_HISTORY_ENTRIES || floor.ms <= place.ms - ACCOUNT_HISTORY_DAYS * DAY_MS;
  if (!isComplete) return false;
  writeAccount({ list, end, frauds, maturityMs }, arrivals, arrival, values, rowAt);
  if (!holdsAt(list, end, place)) {
    insertAccountItem(profile, end, arrivals, arrival);
    boundAccount(profile);
  }
  return true;
}

export const accountKind: AccountKind = createAccountKind(LABEL_MATURITY_DAYS);
