/** The pure core with all profiles in memory, and the transactions it is tried with. */
import {
  type FraudSpan,
  LABEL_MATURITY_DAYS,
  type MerchantPast,
  type MerchantTally,
  merchantHourlyDays,
  merchantReachDays,
  NO_FRAUDS,
} from '../../src/core/domain/history.ts';
import type { Decision } from '../../src/core/domain/score-record.ts';
import type { Transaction } from '../../src/core/domain/transaction.ts';
import { accountKind } from '../../src/core/profile/account-kind.ts';
import {
  type AccountProfile,
  boundAccount,
  insertAccountRecord,
} from '../../src/core/profile/account-profile.ts';
import { arrivalsOf } from '../../src/core/profile/arrivals.ts';
import { merchantKind } from '../../src/core/profile/merchant-kind.ts';
import {
  boundMerchant,
  insertMerchantRecord,
  type MerchantProfile,
} from '../../src/core/profile/merchant-profile.ts';
import { beginRows } from '../../src/core/profile/own-features.ts';
import { type FeatureRows, rowAt, vectorOf } from '../../src/core/score/feature-rows.ts';
import { currentRuleSet } from '../../src/core/score/rules/rule-sets.ts';
import { score } from '../../src/core/score/score.ts';
import { DAY_MS, HOUR_MS } from '../../src/kit/words/utc-bucket.ts';
import { oracleVector } from '../../test/support/oracle/vector.ts';

export const ACCOUNTS = 2000;
export const MERCHANTS = 500;
const STEP_MS = 4 * 3_600_000;
const START_MS = Date.UTC(2026, 0, 1);
const FIRST = { createdAtMs: 0, transactionId: '00000000-0000-0000-0000-000000000000' };

export type Parties = {
  readonly accounts: AccountProfile[];
  readonly merchants: MerchantProfile[];
};
/** History of the merchants. */
export type MerchantsPast = Pick<MerchantPast, 'tallies' | 'frauds'>;

const NO_PAST: MerchantsPast = { tallies: [], frauds: NO_FRAUDS };
const CURRENCIES = ['EUR', 'USD'];

/** A busy merchant's past: tallies of its whole reach in two currencies, and so many frauds spread over it. */
export function makeBusyPast(frauds: number): MerchantsPast {
  const days = merchantReachDays(LABEL_MATURITY_DAYS);
  const fromMs = START_MS - days * DAY_MS;
  const hourlyFromMs = START_MS - merchantHourlyDays(LABEL_MATURITY_DAYS) * DAY_MS;
  const tallies: MerchantTally[] = [];
  for (let bucketMs = fromMs; bucketMs < START_MS; ) {
    const daily = bucketMs < hourlyFromMs;
    const count = daily ? 480 : 20;
    for (const currency of CURRENCIES) {
      tallies.push({ bucketMs, daily, currency, count, sum: String(count * 60) });
    }
    bucketMs += daily ? DAY_MS : HOUR_MS;
  }
  const spans = Array.from({ length: frauds }, (_, index): FraudSpan => {
    const createdAtMs = fromMs + Math.floor((index / frauds) * days * DAY_MS);
    const knownFromMs = createdAtMs + LABEL_MATURITY_DAYS * DAY_MS;
    return {
      ...{ createdAtMs, fromMs: knownFromMs, untilMs: Number.POSITIVE_INFINITY },
      isUnusual: index % 2 === 0,
    };
  });
  return { tallies, frauds: { spans, floorMs: Number.NEGATIVE_INFINITY } };
}

/** Folds a batch and fills its rows of features. */
export function foldAll(transactions: readonly Transaction[], parties: Parties): FeatureRows {
  const { arrivals, rows } = beginRows(arrivalsOf(transactions));
  for (const [index, transaction] of transactions.entries()) {
    const { account, merchant } = partiesOf(transaction, parties);
    const at = rowAt(index);
    const isFolded =
      accountKind.fold(account, arrivals, index, rows.values, at) &&
      merchantKind.fold(merchant, arrivals, index, rows.values, at);
    if (!isFolded) throw new Error('not folded');
  }
  return rows;
}

/** The same by the oracle: an object of what is known of each party, then one feature after the other. */
export function foldAllByOracle(
  transactions: readonly Transaction[],
  parties: Parties,
): Float64Array[] {
  const arrivals = arrivalsOf(transactions);
  return transactions.map((transaction, index) => {
    const { account, merchant } = partiesOf(transaction, parties);
    const vector = oracleVector(transaction, account, merchant);
    insertAccountRecord(account, account.list.count, arrivals, index);
    boundAccount(account);
    insertMerchantRecord(merchant, merchant.list.count, arrivals, index);
    boundMerchant(merchant);
    return vector;
  });
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

export function makeParties({ tallies, frauds }: MerchantsPast = NO_PAST): Parties {
  const account = { rows: [], floor: FIRST, ceiling: null, frauds: NO_FRAUDS };
  const isTallied = tallies.length > 0;
  const merchant = {
    // The newest sibling has to be listed: tallies have no times.
    rows: isTallied ? [{ ...makeTransaction(0), createdAtMs: START_MS - 1 }] : [],
    horizon: isTallied ? { ...FIRST, createdAtMs: START_MS - 2 } : null,
    ...{ tallies, frauds, knownFromMs: 0, ceiling: null },
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
