/** Merchants as a kind of profile: the fold of one transaction into its merchant's list and tallies. */
import {
  MERCHANT_DISTINCT_ENTRIES,
  type MerchantHistory,
  type MerchantPast,
} from '../domain/history.ts';
import type { Transaction } from '../domain/transaction.ts';
import { createDistinctCounter } from './distinct.ts';
import { figuresOf } from './figures.ts';
import { decodeMerchant, merchantLayout } from './merchant-codec.ts';
import {
  accountAt,
  amountAt,
  boundMerchant,
  currencyAt,
  DAY_MS,
  dayOf,
  forgetMerchant,
  HOUR_MS,
  hourOf,
  insertMerchantItem,
  type MerchantItem,
  type MerchantProfile,
  merchantItem,
  rebuildMerchant,
} from './merchant-profile.ts';
import { comparePlaces, countBefore, countOlder, holdsAt } from './packed-list.ts';
import {
  AHEAD,
  encodeOf,
  type FoldOutcome,
  LATE,
  type ProfileKind,
  pendingWriteOf,
} from './profile.ts';

const accounts = createDistinctCounter();

/**
 * Exact after the horizon. What lies at or before it may or may not be in a tally, which remembers no
 * ids: the history comes from Postgres, and so must the profile itself, which is therefore emptied.
 */
function fold(
  profile: MerchantProfile,
  transaction: Transaction,
  figures = figuresOf(transaction),
): FoldOutcome<MerchantHistory> {
  const item = merchantItem(transaction, figures);
  if (comparePlaces(item.place, profile.ceiling) > 0) return AHEAD;
  if (comparePlaces(item.place, profile.horizon) <= 0) {
    forgetMerchant(profile);
    return LATE;
  }
  const { list } = profile;
  const index = countBefore(list, item.place);
  const outcome: FoldOutcome<MerchantHistory> = isComplete(profile, index, item)
    ? { kind: 'folded', history: merchantHistory(profile, index, item) }
    : LATE;
  if (!holdsAt(list, index, item.place)) {
    insertMerchantItem(profile, index, item);
    boundMerchant(profile);
  }
  return outcome;
}

function isComplete(profile: MerchantProfile, index: number, item: MerchantItem): boolean {
  if (dayOf(item.place.ms) - 29 * DAY_MS < profile.knownFromMs) return false;
  return index >= MERCHANT_DISTINCT_ENTRIES || profile.horizon.ms < hourOf(item.place.ms);
}

function merchantHistory(
  profile: MerchantProfile,
  end: number,
  item: MerchantItem,
): MerchantHistory {
  const { list, tallies } = profile;
  const hour = hourOf(item.place.ms);
  const from24h = hour - 23 * HOUR_MS;
  const day = dayOf(item.place.ms);
  const from7d = day - 6 * DAY_MS;
  const from30d = day - 29 * DAY_MS;
  const start30d = countOlder(list, from30d);
  const listed = sumCurrency(profile, start30d, end, item.currency);
  let { sum } = listed;
  const history: MerchantHistory = {
    count1h: end - Math.min(end, countOlder(list, hour)),
    count24h: end - Math.min(end, countOlder(list, from24h)),
    count7d: end - Math.min(end, countOlder(list, from7d)),
    count30d: end - start30d,
    amounts30d: listed.count,
    mean30d: Number.NaN,
    distinctAccounts1h: 0,
  };
  history.distinctAccounts1h = countAccounts(profile, end, history.count1h);
  for (const { bucketMs, currency, count, sum: tallied } of tallies) {
    if (bucketMs < from30d) continue;
    history.count30d += count;
    if (bucketMs >= from7d) history.count7d += count;
    if (bucketMs >= from24h) history.count24h += count;
    if (bucketMs >= hour) history.count1h += count;
    if (currency !== item.currency) continue;
    history.amounts30d += count;
    sum += tallied;
  }
  if (history.amounts30d > 0) history.mean30d = sum / history.amounts30d;
  return history;
}

/** Sums one currency over [from, to), from where the last such sum stopped if it still holds. */
function sumCurrency(profile: MerchantProfile, from: number, to: number, currency: number) {
  const { list, runningSum: running } = profile;
  const continues =
    running.currency === currency &&
    running.moves === list.moves &&
    running.from === from &&
    running.to <= to;
  if (!continues) {
    Object.assign(running, { currency, moves: list.moves, from, to: from, sum: 0, count: 0 });
  }
  for (let index = running.to; index < to; index++) {
    if (currencyAt(list, index) !== currency) continue;
    running.sum += amountAt(list, index);
    running.count++;
  }
  running.to = to;
  return running;
}

function countAccounts({ list }: MerchantProfile, end: number, inThisHour: number): number {
  accounts.reset();
  const start = end - Math.min(inThisHour, MERCHANT_DISTINCT_ENTRIES);
  for (let index = end - 1; index >= start; index--) accounts.add(accountAt(list, index));
  return accounts.count();
}

export const merchantKind: ProfileKind<MerchantProfile, MerchantHistory, MerchantPast> = {
  party: 'merchant',
  format: merchantLayout.format,
  partyOf: (transaction) => transaction.merchantId,
  decode: decodeMerchant,
  rebuild: rebuildMerchant,
  fold,
  pendingWrite: (profile) => pendingWriteOf(profile, merchantLayout),
  encode: (profile) => encodeOf(profile, merchantLayout),
};
