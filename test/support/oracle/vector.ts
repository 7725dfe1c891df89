/**
 * The features of a transaction in their first, plain implementation: an object of what it uses of each party,
 * then one number after the other. It is slow, and workers must agree with it to the bit.
 */
import { reportingLimitMinor } from '../../../src/core/domain/reporting-limit.ts';
import type { Transaction } from '../../../src/core/domain/transaction.ts';
import type { AccountProfile } from '../../../src/core/profile/account-profile.ts';
import type { MerchantProfile } from '../../../src/core/profile/merchant-profile.ts';
import { accountHistory } from './account-history.ts';
import { features } from './features.ts';
import type { AccountHistory, MerchantHistory } from './histories.ts';
import { merchantHistory } from './merchant-history.ts';
import { countBefore, DAY_MS } from './packed.ts';
import { accountRecord, merchantRecord } from './records.ts';

/** The vector of a transaction with these profiles; nothing is folded into the profiles. */
export function oracleVector(
  transaction: Transaction,
  account: AccountProfile,
  merchant: MerchantProfile,
): Float64Array {
  const seen = oracleHistories(transaction, account, merchant);
  return features(transaction, seen.account, seen.merchant);
}

export function oracleHistories(
  transaction: Transaction,
  account: AccountProfile,
  merchant: MerchantProfile,
): { readonly account: AccountHistory; readonly merchant: MerchantHistory } {
  const ofAccount = accountRecord(transaction);
  const ofMerchant = merchantRecord(transaction);
  const source = {
    list: account.list,
    end: countBefore(account.list, transaction),
    frauds: account.frauds,
    maturityMs: merchant.maturityDays * DAY_MS,
  };
  const limitMinor = reportingLimitMinor(transaction.currency);
  const end = countBefore(merchant.list, transaction);
  return {
    account: accountHistory(source, ofAccount, limitMinor),
    merchant: merchantHistory(merchant, end, ofMerchant),
  };
}
