/** Merchants as a kind of profile: the fold of one transaction into its merchant's list and tallies. */
import { hourOf } from '../../kit/words/utc-bucket.ts';
import {
  LABEL_MATURITY_DAYS,
  MERCHANT_DISTINCT_ENTRIES,
  type MerchantPast,
} from '../domain/history.ts';
import { takeOwn } from './arena.ts';
import { type Arrivals, placeOfArrival } from './arrivals.ts';
import { knowsFrauds } from './known-frauds.ts';
import { decodeMerchant, merchantLayout } from './merchant-codec.ts';
import { noteInserted } from './merchant-cursors.ts';
import { seenFromMs, writeMerchant } from './merchant-features.ts';
import { MERCHANT_ITEM_BYTES } from './merchant-item.ts';
import {
  boundMerchant,
  insertMerchantItem,
  type MerchantProfile,
  rebuildMerchant,
  writeMerchantItem,
} from './merchant-profile.ts';
import { comparePlaces, countBefore, holdsAt, insertPacked, readItemPlace } from './packed-list.ts';
import type { ProfileKind } from './profile.ts';

type MerchantKind = ProfileKind<MerchantProfile, MerchantPast>;

/** @param maturityDays after which the labels of a transaction count as complete */
export function createMerchantKind(maturityDays: number): MerchantKind {
  return {
    party: 'merchant',
    itemBytes: MERCHANT_ITEM_BYTES,
    layout: merchantLayout,
    partyOf: (transaction) => transaction.merchantId,
    writeItem: writeMerchantItem,
    decode: (view, length, take) => decodeMerchant(view, length, take, maturityDays),
    rebuild: (past, take = takeOwn) => rebuildMerchant(past, take, maturityDays),
    fold,
    merge,
  };
}

/**
 * False where a tally may or may not count it, as tallies hold no ids. A transaction older than all tallies
 * counts nowhere.
 */
function merge(profile: MerchantProfile, items: DataView, at: number): boolean {
  const { list, horizon, ceiling, knownFromMs } = profile;
  const place = readItemPlace(items, at, MERCHANT_ITEM_BYTES);
  if (comparePlaces(place, horizon) <= 0) return hourOf(place.ms) < knownFromMs;
  if (comparePlaces(place, ceiling) > 0) return true;
  const index = insertPacked(list, place, items, at);
  if (index >= 0) noteInserted(profile.cursors, list, index);
  boundMerchant(profile);
  return true;
}

/**
 * Exact after the horizon and up to the ceiling. A transaction at or before the horizon may or may not be in a
 * tally, which holds no ids.
 */
function fold(
  profile: MerchantProfile,
  arrivals: Arrivals,
  arrival: number,
  values: Float64Array,
  rowAt: number,
): boolean {
  const place = placeOfArrival(arrivals, arrival);
  const { list, horizon, ceiling } = profile;
  if (comparePlaces(place, ceiling) > 0 || comparePlaces(place, horizon) <= 0) return false;
  const index = countBefore(list, place);
  if (!isComplete(profile, index, place.ms)) return false;
  writeMerchant(profile, index, arrivals, arrival, values, rowAt);
  if (!holdsAt(list, index, place)) {
    insertMerchantItem(profile, index, arrivals, arrival);
    boundMerchant(profile);
  }
  return true;
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

export const merchantKind: MerchantKind = createMerchantKind(LABEL_MATURITY_DAYS);
