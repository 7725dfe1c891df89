/** The pure core with all profiles in memory, and the transactions it is tried with. */

import { type FeatureRows, rowAt, vectorOf } from '../../src/core/domain/feature-rows.ts';
import { NO_FRAUDS } from '../../src/core/domain/history.ts';
import type { Decision } from '../../src/core/domain/score-record.ts';
import type { Transaction } from '../../src/core/domain/transaction.ts';
import type { AccountProfile } from '../../src/core/profile/account-profile.ts';
import { arrivalsOf } from '../../src/core/profile/arrivals.ts';
import { beginRows } from '../../src/core/profile/fold-batch.ts';
import { accountKind, merchantKind } from '../../src/core/profile/kinds.ts';
import type { MerchantProfile } from '../../src/core/profile/merchant-profile.ts';
import { currentRuleSet } from '../../src/core/score/rules/rule-sets.ts';
import { score } from '../../src/core/score/score.ts';

export const ACCOUNTS = 2000;
export const MERCHANTS = 500;
const STEP_MS = 4 * 3_600_000;
const START_MS = Date.UTC(2026, 0, 1);
const FIRST = { createdAtMs: 0, transactionId: '00000000-0000-0000-0000-000000000000' };

export type Parties = {
  readonly accounts: AccountProfile[];
  readonly merchants: MerchantProfile[];
};
/** Folds a batch and fills its rows of features. */
export function foldAll(transactions: readonly Transaction[], parties: Parties): FeatureRows {
  const { arrivals, rows } = beginRows(arrivalsOf(transactions));
  for (const [index, transaction] of transactions.entries()) {
    const { account, merchant } = partiesOf(transaction, parties);
    const at = rowAt(rows, index);
    const isFolded =
      accountKind.fold(account, arrivals, index, rows.values, at) &&
      merchantKind.fold(merchant, arrivals, index, rows.values, at);
    if (!isFolded) throw new Error('not folded');
  }
  return rows;
}

function partiesOf(transaction: Transaction, { accounts, merchants }: Parties) {
  const account = accounts[Number(transaction.accountId.slice(4))];
  const merchant = merchants[Number(transaction.merchantId.slice(2))];
  if (account === undefined || merchant === undefined) throw new Error('no such party');
  return { account, merchant };
}

export function foldAndScore(transactions: readonly Transaction[], parties: Parties): Decision[] {
  const rows = foldAll(transactions, parties);
  return transactions.map((_, index) => scoreByRules(vectorOf(rows, index)));
}

export function scoreByRules(vector: Float64Array): Decision {
  return score({ vector, ruleSet: currentRuleSet, opinion: null });
}

/** Parties without a past. */
export function makeParties(): Parties {
  const account = { rows: [], floor: FIRST, ceiling: null, frauds: NO_FRAUDS };
  const merchant = {
    ...{ rows: [], horizon: null, tallies: [], frauds: NO_FRAUDS },
    ...{ knownFromMs: 0, ceiling: null },
  };
  return {
    accounts: Array.from({ length: ACCOUNTS }, () => accountKind.rebuild(account)),
    merchants: Array.from({ length: MERCHANTS }, () => merchantKind.rebuild(merchant)),
  };
}

/** The accounts take turns; amounts and merchants vary without a pattern that a branch could learn. */
export function makeTransaction(sequence: number): Transaction {
  const account = sequence % ACCOUNTS;
  const mixed = Math.imul(sequence ^ (sequence >>> 7), 0x9e3779b1) >>> 0;
  const createdAtMs = START_MS + Math.floor((sequence / ACCOUNTS) * STEP_MS);
  const time = createdAtMs.toString(16).padStart(12, '0');
  return {
    transactionId: `${time.slice(0, 8)}-${time.slice(8)}-7abc-8000-${sequence.toString(16).padStart(12, '0')}`,
    createdAtMs,
    receivedAtMs: createdAtMs,
    accountId: `acc_${account}`,
    merchantId: `m_${mixed % MERCHANTS}`,
    amount: `${20 + (mixed % 90)}.${10 + (mixed % 89)}`,
    currency: 'USD',
    corridor: 'US-EG',
    type: 'payment',
    ip: '192.0.2.1',
    deviceId: `device_${account}`,
    country: 'US',
    channel: 'web',
    declared: null,
  };
}
