/**
 * What one transaction costs the pure core: folded into its account's and merchant's profile in memory, made a row of
 * features, judged by 200 trees where it says so, decided. Beside it the oracle of the tests, which makes an object of
 * everything. No I/O: what a worker pays on top is not in it.
 */
import { parseArguments } from '../src/cli/command.ts';
import { FRAUDS_SEEN_MAX } from '../src/domain/history.ts';
import type { Transaction } from '../src/domain/transaction.ts';
import { vectorOf } from '../src/scoring/feature-rows.ts';
import { currentRuleSet } from '../src/scoring/rule-sets.ts';
import { score } from '../src/scoring/score.ts';
import type { Bench, BenchReport } from './support/bench.ts';
import { percentiles } from './support/percentiles.ts';
import {
  ACCOUNTS,
  foldAll,
  foldAllByOracle,
  MERCHANTS,
  makeBusyPast,
  makeParties,
  makeTransaction,
  type Parties,
} from './support/pure-core.ts';
import { createTreeJudge, type TreeJudge } from './support/tree-judge.ts';

/** Transactions between two looks at the clock. */
const BATCH = 500;
const WARM_UP_BATCHES = 60;
const BATCHES = 120;

type Case = {
  readonly caseName: string;
  /** Siblings an account has when the clock starts. */
  readonly siblings: number;
  /** Of each merchant, beside tallies; undefined: merchants with nothing behind them. */
  readonly frauds?: number;
  readonly byOracle?: true;
  readonly byTrees?: true;
};

const CASES: readonly Case[] = [
  { caseName: '25 past transactions, by the oracle', siblings: 25, byOracle: true },
  { caseName: '25 past transactions', siblings: 25 },
  { caseName: '25 past transactions, 200 trees', siblings: 25, byTrees: true },
  { caseName: '250 past transactions, by the oracle', siblings: 250, byOracle: true },
  { caseName: '250 past transactions', siblings: 250 },
  { caseName: 'merchants with tallies', siblings: 60, frauds: 0 },
  { caseName: 'merchants with tallies and 16 frauds', siblings: 60, frauds: 16 },
  { caseName: 'merchants with tallies and 512 frauds', siblings: 60, frauds: FRAUDS_SEEN_MAX },
];

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

function measure(one: Case): BenchReport {
  const { caseName, siblings, frauds } = one;
  const parties = makeParties(frauds === undefined ? undefined : makeBusyPast(frauds));
  const steps = stepsOf(one);
  let sequence = 0;
  const nextBatch = () => Array.from({ length: BATCH }, () => makeTransaction(sequence++));
  while (sequence < siblings * ACCOUNTS) foldAll(nextBatch(), parties);
  for (let batch = 0; batch < WARM_UP_BATCHES; batch++) runBatch(nextBatch(), parties, steps);
  const costs = { fold: 0, judge: 0, decide: 0 };
  const wholes: number[] = [];
  const allocated: number[] = [];
  let flagged = 0;
  for (let batch = 0; batch < BATCHES; batch++) {
    const took = runBatch(nextBatch(), parties, steps);
    costs.fold += took.fold / BATCHES;
    costs.judge += took.judge / BATCHES;
    costs.decide += took.decide / BATCHES;
    flagged += took.flagged;
    wholes.push(took.fold + took.judge + took.decide);
    // The collector ran amid the others.
    if (took.allocated > 0) allocated.push(took.allocated);
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
      judge_mean_us: costs.judge,
      decide_mean_us: costs.decide,
      whole_p50_us: p50,
      whole_p95_us: p95,
      whole_p99_us: p99,
      allocated_p50_bytes: percentiles(allocated).p50,
      flagged_ratio: flagged / (BATCH * BATCHES),
    },
    ceilings: [],
    tables: [],
    breaches: [],
  };
}

type Steps = {
  readonly fold: (batch: readonly Transaction[], parties: Parties) => readonly Float64Array[];
  readonly judge: TreeJudge;
};

function stepsOf({ byOracle, byTrees }: Case): Steps {
  return {
    fold: byOracle ? foldAllByOracle : foldToVectors,
    judge: byTrees ? createTreeJudge(['US-EG']) : (batch) => batch.map(() => null),
  };
}

function foldToVectors(batch: readonly Transaction[], parties: Parties): Float64Array[] {
  const rows = foldAll(batch, parties);
  return batch.map((_, index) => vectorOf(rows, index));
}

/** Microseconds and bytes a transaction, and how many were not approved. */
function runBatch(batch: readonly Transaction[], parties: Parties, steps: Steps) {
  const heapBefore = process.memoryUsage().heapUsed;
  const began = performance.now();
  const vectors = steps.fold(batch, parties);
  const folded = performance.now();
  const opinions = steps.judge(batch, vectors);
  const judged = performance.now();
  let flagged = 0;
  for (const [index, vector] of vectors.entries()) {
    const opinion = opinions[index] ?? null;
    if (score({ vector, ruleSet: currentRuleSet, opinion }).verdict !== 'approve') flagged++;
  }
  const decided = performance.now();
  const each = 1000 / batch.length;
  return {
    fold: (folded - began) * each,
    judge: (judged - folded) * each,
    decide: (decided - judged) * each,
    allocated: (process.memoryUsage().heapUsed - heapBefore) / batch.length,
    flagged,
  };
}
