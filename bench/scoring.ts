/**
 * What one transaction costs the pure core: folded into its account's and merchant's profile in memory,
 * made a feature vector, scored. No I/O: what a worker pays on top is not in it.
 */
import type { Transaction } from '../src/domain/transaction.ts';
import { accountKind } from '../src/profile/account-kind.ts';
import type { AccountProfile } from '../src/profile/account-profile.ts';
import { merchantKind } from '../src/profile/merchant-kind.ts';
import type { MerchantProfile } from '../src/profile/merchant-profile.ts';
import { features } from '../src/scoring/features.ts';
import { currentRuleSet } from '../src/scoring/rule-sets.ts';
import { score } from '../src/scoring/score.ts';
import type { Bench, BenchReport } from './support/bench.ts';
import { percentiles } from './support/percentiles.ts';

const ACCOUNTS = 2000;
const MERCHANTS = 500;
/** Transactions between two looks at the clock. */
const BATCH = 500;
const WARM_UP_BATCHES = 60;
const BATCHES = 200;
/** Siblings an account has when the clock starts. */
const CASES = [5, 60, 256];
const STEP_MS = 4 * 3_600_000;
const START_MS = Date.UTC(2026, 0, 1);
/** Ten times what an idle core takes: only a change of order is a breach. */
const MICROSECONDS_MAX = 60;

const FIRST = { createdAtMs: 0, transactionId: '00000000-0000-0000-0000-000000000000' };

export const bench: Bench = {
  name: 'scoring',
  question: 'How long does the pure core take for a transaction?',
  async *run(_, { signal }) {
    for (const siblings of CASES) {
      signal.throwIfAborted();
      yield measure(siblings);
    }
  },
};

type Parties = { readonly accounts: AccountProfile[]; readonly merchants: MerchantProfile[] };

function measure(siblings: number): BenchReport {
  const parties = makeParties();
  let sequence = 0;
  const nextBatch = () => Array.from({ length: BATCH }, () => makeTransaction(sequence++));
  while (sequence < siblings * ACCOUNTS) scoreAll(nextBatch(), parties);
  for (let batch = 0; batch < WARM_UP_BATCHES; batch++) scoreAll(nextBatch(), parties);
  const costs = { fold: 0, features: 0, score: 0 };
  const wholes: number[] = [];
  let flagged = 0;
  for (let batch = 0; batch < BATCHES; batch++) {
    const took = scoreAll(nextBatch(), parties);
    costs.fold += took.fold / BATCHES;
    costs.features += took.features / BATCHES;
    costs.score += took.score / BATCHES;
    flagged += took.flagged;
    wholes.push(took.fold + took.features + took.score);
  }
  const { p50, p95, p99 } = percentiles(wholes);
  return {
    caseName: `accounts with ${siblings} siblings`,
    inputs: { accounts: ACCOUNTS, merchants: MERCHANTS, transactions: BATCH * BATCHES, siblings },
    versions: {},
    perSecond: 1e6 / p50,
    figures: {
      fold_mean_us: costs.fold,
      features_mean_us: costs.features,
      score_mean_us: costs.score,
      whole_p50_us: p50,
      whole_p95_us: p95,
      whole_p99_us: p99,
      flagged_ratio: flagged / (BATCH * BATCHES),
    },
    ceilings: [],
    tables: [],
    breaches: p50 > MICROSECONDS_MAX ? [`${p50.toFixed(1)} µs a transaction`] : [],
  };
}

/** Microseconds a transaction of each step, and how many were not approved. */
function scoreAll(batch: readonly Transaction[], { accounts, merchants }: Parties) {
  const began = performance.now();
  const histories = batch.map((transaction) => {
    const account = accounts[Number(transaction.accountId.slice(4))];
    const merchant = merchants[Number(transaction.merchantId.slice(2))];
    if (account === undefined || merchant === undefined) throw new Error('no such party');
    const ofAccount = accountKind.fold(account, transaction);
    const ofMerchant = merchantKind.fold(merchant, transaction);
    if (ofAccount.kind !== 'folded' || ofMerchant.kind !== 'folded') throw new Error('not folded');
    return { transaction, account: ofAccount.history, merchant: ofMerchant.history };
  });
  const folded = performance.now();
  const vectors = histories.map((one) => features(one.transaction, one.account, one.merchant));
  const measured = performance.now();
  let flagged = 0;
  for (const vector of vectors) {
    const { verdict } = score({ vector, ruleSet: currentRuleSet, model: null });
    if (verdict !== 'approve') flagged++;
  }
  const scored = performance.now();
  const each = 1000 / batch.length;
  return {
    fold: (folded - began) * each,
    features: (measured - folded) * each,
    score: (scored - measured) * each,
    flagged,
  };
}

function makeParties(): Parties {
  const account = { rows: [], floor: FIRST, ceiling: null };
  const merchant = { rows: [], tallies: [], horizon: null, knownFromMs: 0, ceiling: null };
  return {
    accounts: Array.from({ length: ACCOUNTS }, () => accountKind.rebuild(account, null)),
    merchants: Array.from({ length: MERCHANTS }, () => merchantKind.rebuild(merchant, null)),
  };
}

/** The accounts take turns; amounts and merchants vary without a pattern that a branch could learn. */
function makeTransaction(sequence: number): Transaction {
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
  };
}
