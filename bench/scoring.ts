/**
 * The cost of a transaction in the pure core: folded into its account's and merchant's profile in memory, made a row of
 * features, judged by 200 trees where it says so, decided. In turn with the oracle of the tests, which makes an object
 * of everything. No I/O: what a worker pays on top is not in it.
 */
import { FRAUDS_SEEN_MAX } from '../src/core/domain/history.ts';
import type { Transaction } from '../src/core/domain/transaction.ts';
import { vectorOf } from '../src/core/score/feature-rows.ts';
import { currentRuleSet } from '../src/core/score/rules/rule-sets.ts';
import { score } from '../src/core/score/score.ts';
import { parseArguments } from '../src/kit/command/command.ts';
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
const WARM_UP_BATCHES = 40;
const BATCHES = 60;

type Case = {
  readonly caseName: string;
  /** Siblings an account has when the clock starts. */
  readonly siblings: number;
  /** Transactions of each merchant, beside its tallies; undefined: merchants without history. */
  readonly frauds?: number;
  readonly byTrees?: true;
};

const CASES: readonly Case[] = [
  { caseName: '25 past transactions', siblings: 25 },
  { caseName: '25 past transactions, 200 trees', siblings: 25, byTrees: true },
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
  const { caseName, siblings, frauds, byTrees = false } = one;
  const past = frauds === undefined ? undefined : makeBusyPast(frauds);
  const judge: TreeJudge = byTrees ? createTreeJudge(['US-EG']) : (batch) => batch.map(() => null);
  const arms: Record<ArmName, Arm> = {
    rows: createArm({ fold: foldToVectors, judge }, makeParties(past)),
    oracle: createArm({ fold: foldAllByOracle, judge }, makeParties(past)),
  };
  let sequence = 0;
  const nextBatch = () => Array.from({ length: BATCH }, () => makeTransaction(sequence++));
  while (sequence < siblings * ACCOUNTS) {
    const batch = nextBatch();
    for (const { parties } of Object.values(arms)) foldAll(batch, parties);
  }
  // The arms take turns, so that a short disturbance of the machine affects all of them.
  for (let turn = 0; turn < WARM_UP_BATCHES + BATCHES; turn++) {
    const batch = nextBatch();
    for (const arm of Object.values(arms)) {
      const took = runBatch(batch, arm);
      if (turn >= WARM_UP_BATCHES) note(arm, took);
    }
  }
  const { rows, oracle } = { rows: middleOf(arms.rows), oracle: middleOf(arms.oracle) };
  return {
    caseName,
    inputs: { accounts: ACCOUNTS, merchants: MERCHANTS, transactions: BATCH * BATCHES, siblings },
    versions: {},
    settings: {},
    perSecond: 1e6 / rows.whole,
    figures: {
      fold_p50_us: rows.fold,
      judge_p50_us: rows.judge,
      decide_p50_us: rows.decide,
      whole_p50_us: rows.whole,
      allocated_p50_bytes: rows.allocated,
      oracle_fold_p50_us: oracle.fold,
      oracle_whole_p50_us: oracle.whole,
      oracle_allocated_p50_bytes: oracle.allocated,
      times_the_oracle: oracle.whole / rows.whole,
    },
    ceilings: [],
    tables: [],
    breaches: [],
  };
}

type ArmName = 'rows' | 'oracle';
type Steps = {
  readonly fold: (batch: readonly Transaction[], parties: Parties) => readonly Float64Array[];
  readonly judge: TreeJudge;
};
/** Microseconds and bytes a transaction. */
type Took = Record<'fold' | 'judge' | 'decide' | 'whole' | 'allocated', number>;
type Arm = {
  readonly steps: Steps;
  readonly parties: Parties;
  readonly took: Record<keyof Took, number[]>;
};

function createArm(steps: Steps, parties: Parties): Arm {
  return { steps, parties, took: { fold: [], judge: [], decide: [], whole: [], allocated: [] } };
}

function note({ took }: Arm, one: Took): void {
  for (const [name, value] of Object.entries(one) as [keyof Took, number][]) {
    // The garbage collector ran during a batch, so the memory in use fell.
    if (name !== 'allocated' || value > 0) took[name].push(value);
  }
}

function middleOf({ took }: Arm): Took {
  const middle = (name: keyof Took) => percentiles(took[name]).p50;
  return {
    fold: middle('fold'),
    judge: middle('judge'),
    decide: middle('decide'),
    whole: middle('whole'),
    allocated: middle('allocated'),
  };
}

function foldToVectors(batch: readonly Transaction[], parties: Parties): Float64Array[] {
  const rows = foldAll(batch, parties);
  return batch.map((_, index) => vectorOf(rows, index));
}

/** Processor time with the garbage collector's share; other processes on the machine do not count. */
function processorUs(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

function runBatch(batch: readonly Transaction[], { steps, parties }: Arm): Took {
  const heapBefore = process.memoryUsage().heapUsed;
  const began = processorUs();
  const vectors = steps.fold(batch, parties);
  const folded = processorUs();
  const opinions = steps.judge(batch, vectors);
  const judged = processorUs();
  for (let index = 0; index < vectors.length; index++) {
    const vector = vectors[index] as Float64Array;
    score({ vector, ruleSet: currentRuleSet, opinion: opinions[index] ?? null });
  }
  const decided = processorUs();
  return {
    fold: (folded - began) / batch.length,
    judge: (judged - folded) / batch.length,
    decide: (decided - judged) / batch.length,
    whole: (decided - began) / batch.length,
    allocated: (process.memoryUsage().heapUsed - heapBefore) / batch.length,
  };
}
