/** Merchants as a kind of profile: the fold of one transaction into its merchant's list and tallies. */
import {
  LABEL_MATURITY_DAYS,
  MERCHANT_DISTINCT_ENTRIES,
  type MerchantHistory,
  type MerchantPast,
} from '../domain/history.ts';
import type { Transaction } from '../domain/transaction.ts';
import { hourOf } from '../domain/utc-bucket.ts';
import { type Figures, figuresOf } from './figures.ts';
import { knowsFrauds } from './known-frauds.ts';
import { decodeMerchant, merchantLayout } from './merchant-codec.ts';
import { merchantHistory, seenFromMs } from './merchant-history.ts';
import {
  boundMerchant,
  insertMerchantItem,
  type MerchantItem,
  type MerchantProfile,
  merchantItem,
  rebuildMerchant,
} from './merchant-profile.ts';
import { comparePlaces, countBefore, holdsAt } from './packed-list.ts';
import { encodeOf, type ProfileKind, pendingWriteOf } from './profile.ts';
import { takeOwn } from './room.ts';

type MerchantKind = ProfileKind<MerchantProfile, MerchantHistory, MerchantPast>;

/** @param maturityDays after which the labels of a transaction are taken for complete */
export function createMerchantKind(maturityDays: number): MerchantKind {
  return {
    party: 'merchant',
    format: merchantLayout.format,
    partyOf: (transaction) => transaction.merchantId,
    decode: (body, header, take) => decodeMerchant(body, header, take, maturityDays),
    rebuild: (past, stored, take = takeOwn) => rebuildMerchant(past, stored, take, maturityDays),
    fold,
    pendingWrite: (profile) => pendingWriteOf(profile, merchantLayout),
    encode: (profile) => encodeOf(profile, merchantLayout),
  };
}

/**
 * Exact after the horizon and up to the ceiling. What lies at or before the horizon may or may not be in a tally,
 * which remembers no ids.
 */
function fold(
  profile: MerchantProfile,
  transaction: Transaction,
  figures: Figures = figuresOf(transaction),
): MerchantHistory | undefined {
  const item = merchantItem(transaction, figures);
  const { list, horizon, ceiling } = profile;
  if (comparePlaces(item.place, ceiling) > 0 || comparePlaces(item.place, horizon) <= 0) return;
  const index = countBefore(list, item.place);
  if (!isComplete(profile, index, item)) return;
  const history = merchantHistory(profile, index, item);
  if (!holdsAt(list, index, item.place)) {
    insertMerchantItem(profile, index, item);
    boundMerchant(profile);
  }
  return history;
}

function isComplete(profile: MerchantProfile, index: number, { place }: MerchantItem): boolean {
  const { knownFromMs, horizon, frauds, maturityDays } = profile;
  const sinceMs = seenFromMs(place.ms, maturityDays);
  if (sinceMs < knownFromMs) return false;
  if (frauds.spans.length > 0 && !knowsFrauds(frauds, place.ms, sinceMs)) return false;
  if (index >= MERCHANT_DISTINCT_ENTRIES) return true;
  // The newest sibling is listed, or there is none: tallies have no times.
  return horizon.ms < hourOf(place.ms) && (index > 0 || horizon.ms < sinceMs);
}

export const merchantKind = createMerchantKind(LABEL_MATURITY_DAYS);
