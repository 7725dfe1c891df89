/**
 * What one transaction costs the pure core: folded into its account's and merchant's profile in memory,
 * made a feature vector, scored. No I/O: what a worker pays on top is not in it.
 */
import { parseArguments } from '../src/cli/command.ts';
import { FRAUDS_SEEN_MAX } from '../src/domain/history.ts';
import type { Transaction } from '../src/domain/transaction.ts';
import { features } from '../src/scoring/features.ts';
import { currentRuleSet } from '../src/scoring/rule-sets.ts';
import { score } from '../src/scoring/score.ts';
import type { Bench, BenchReport } from './support/bench.ts';
import { percentiles } from './support/percentiles.ts';
import {
  ACCOUNTS,
  foldParties,
  MERCHANTS,
  makeBusyPast,
  makeParties,
  makeTransaction,
  type Parties,
} from './support/pure-core.ts';

/** Transactions between two looks at the clock. */
const BATCH = 500;
const WARM_UP_BATCHES = 60;
const BATCHES = 200;
/** Siblings an account has when the clock starts, and what its merchants have behind them. */
const CASES: readonly Case[] = [
  { caseName: 'accounts with 5 siblings', siblings: 5 },
  { caseName: 'accounts with 60 siblings', siblings: 60 },
  { caseName: 'accounts with 256 siblings', siblings: 256 },
  { caseName: 'merchants with tallies', siblings: 60, frauds: 0 },
  { caseName: 'merchants with tallies and 16 frauds', siblings: 60, frauds: 16 },
  { caseName: 'merchants with tallies and 512 frauds', siblings: 60, frauds: FRAUDS_SEEN_MAX },
];

type Case = {
  readonly caseName: string;
  readonly siblings: number;
  /** Of each merchant, beside tallies; undefined: merchants with nothing behind them. */
  readonly frauds?: number;
};

export const bench: Bench = {
  name: 'scoring',
  question: 'How long does the pure core take for a transaction?',
  async *run(args, { signal }) {
    parseArguments(args, {});
    for (const one of CASES) {
      signal.throwIfAborted();
      yield measure(one);
    }
  },
};

function measure({ caseName, siblings, frauds }: Case): BenchReport {
  const parties = makeParties(frauds === undefined ? undefined : makeBusyPast(frauds));
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
    caseName,
    inputs: { accounts: ACCOUNTS, merchants: MERCHANTS, transactions: BATCH * BATCHES, siblings },
    settings: {},
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
    breaches: [],
  };
}

/** Microseconds a transaction of each step, and how many were not approved. */
function scoreAll(batch: readonly Transaction[], parties: Parties) {
  const began = performance.now();
  const histories = batch.map((transaction) => ({
    transaction,
    ...foldParties(transaction, parties),
  }));
  const folded = performance.now();
  const vectors = histories.map((one) => features(one.transaction, one.account, one.merchant));
  const measured = performance.now();
  let flagged = 0;
  for (const vector of vectors) {
    const { verdict } = score({ vector, ruleSet: currentRuleSet, opinion: null });
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
