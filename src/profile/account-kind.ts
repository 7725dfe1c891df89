/** Accounts as a kind of profile: the fold of one transaction into its account's list. */
import {
  ACCOUNT_HISTORY_DAYS,
  ACCOUNT_HISTORY_ENTRIES,
  type AccountHistory,
  type AccountPast,
  LABEL_MATURITY_DAYS,
} from '../domain/history.ts';
import { reportingLimitMinor } from '../domain/reporting-limit.ts';
import type { Transaction } from '../domain/transaction.ts';
import { accountHistory } from './account-history.ts';
import {
  type AccountProfile,
  accountItem,
  accountLayout,
  boundAccount,
  decodeAccount,
  insertAccountItem,
  rebuildAccount,
} from './account-profile.ts';
import { type Figures, figuresOf } from './figures.ts';
import { comparePlaces, countBefore, holdsAt } from './packed-list.ts';
import { encodeOf, type ProfileKind, pendingWriteOf } from './profile.ts';

const DAY_MS = 86_400_000;

type AccountKind = ProfileKind<AccountProfile, AccountHistory, AccountPast>;

/** @param maturityDays after which the labels of a transaction are taken for complete */
export function createAccountKind(maturityDays: number): AccountKind {
  const maturityMs = maturityDays * DAY_MS;
  return {
    party: 'account',
    format: accountLayout.format,
    partyOf: (transaction) => transaction.accountId,
    decode: decodeAccount,
    rebuild: rebuildAccount,
    fold: (profile, transaction, figures = figuresOf(transaction)) =>
      fold(profile, transaction, figures, maturityMs),
    pendingWrite: (profile) => pendingWriteOf(profile, accountLayout),
    encode: (profile) => encodeOf(profile, accountLayout),
  };
}

/**
 * Exact for whatever lies after the floor, up to the ceiling, and sees its fill: ACCOUNT_HISTORY_ENTRIES siblings,
 * or all of the last ACCOUNT_HISTORY_DAYS.
 */
function fold(
  profile: AccountProfile,
  transaction: Transaction,
  figures: Figures,
  maturityMs: number,
): AccountHistory | undefined {
  const item = accountItem(transaction, figures);
  const { list, frauds, floor, ceiling } = profile;
  if (comparePlaces(item.place, ceiling) > 0 || comparePlaces(item.place, floor) <= 0) return;
  const index = countBefore(list, item.place);
  const isComplete =
    index >= ACCOUNT_HISTORY_ENTRIES || floor.ms <= item.place.ms - ACCOUNT_HISTORY_DAYS * DAY_MS;
  if (!isComplete) return;
  const limitMinor = reportingLimitMinor(transaction.currency);
  const history = accountHistory({ list, end: index, frauds }, item, limitMinor, maturityMs);
  if (!holdsAt(list, index, item.place)) {
    insertAccountItem(profile, index, item);
    boundAccount(profile);
  }
  return history;
}

export const accountKind = createAccountKind(LABEL_MATURITY_DAYS);
