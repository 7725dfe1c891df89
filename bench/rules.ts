/**
 * The cost of rules for each transaction: the default rule set beside the code that the same rules once were, in turn, and rule
 * sets of 10, 50 and 200 rules with the expressions that analysts write. Vectors are those of simulated traffic.
 */
import type { CompiledRuleSet } from '../src/core/score/rules/compile-rule-set.ts';
import type { Inputs } from '../src/core/score/rules/generate-program.ts';
import { currentRuleSet } from '../src/core/score/rules/rule-sets.ts';
import { score } from '../src/core/score/score.ts';
import { parseArguments } from '../src/kit/command/command.ts';
import { RULE_SETS_AS_CODE } from '../test/support/rules-as-code/rule-sets.ts';
import { score as scoreByCode } from '../test/support/rules-as-code/score.ts';
import { makeRuleSet, makeVectors, ROWS, SIZES } from './support/analyst-rules.ts';
import type { Bench, BenchReport } from './support/bench.ts';
import { percentiles } from './support/percentiles.ts';

const ROW_MAX_NS = 10_000;
/** A ratio of medians of one run varies by a few hundredths. */
const TIMES_THE_CODE_MAX = 1.1;
const WARM_UP_ROUNDS = 100;
const ROUNDS = 300;

type Row = { readonly vector: Float64Array; readonly inputs: Inputs };
type Arm = {
  readonly name: string;
  /** Returns how many reasons the decisions have. */
  readonly run: (rows: readonly Row[]) => number;
};

export const bench: Bench = {
  name: 'rules',
  question: 'How long does a rule set of 10, 50 or 200 rules take for a transaction?',
  async *run(args, { signal }) {
    parseArguments(args, {});
    const vectors = makeVectors();
    yield measure('default@3', vectors, [byData('data', currentRuleSet), byCode()]);
    for (const size of SIZES) {
      signal.throwIfAborted();
      const ruleSet = makeRuleSet(size);
      if (ruleSet.inputs.join() !== INPUTS.join()) throw new Error(`it reads ${ruleSet.inputs}`);
      yield measure(`${size} rules`, vectors, [byData('data', ruleSet)]);
    }
  },
};

function byData(name: string, ruleSet: CompiledRuleSet): Arm {
  return {
    name,
    run: (rows) => {
      let reasons = 0;
      for (const { vector, inputs } of rows) {
        reasons += score({ vector, ruleSet, opinion: null, inputs }).reasons.length;
      }
      return reasons;
    },
  };
}

function byCode(): Arm {
  const ruleSet = RULE_SETS_AS_CODE.find(({ id }) => id === currentRuleSet.id);
  if (ruleSet === undefined) throw new Error(`no code of ${currentRuleSet.id}`);
  return {
    name: 'code',
    run: (rows) => {
      let reasons = 0;
      for (const { vector } of rows) {
        reasons += scoreByCode({ vector, ruleSet, opinion: null }).reasons.length;
      }
      return reasons;
    },
  };
}

function measure(
  caseName: string,
  vectors: readonly Float64Array[],
  arms: readonly Arm[],
): BenchReport {
  const rows = vectors.map((vector, index) => ({ vector, inputs: inputsOf(index) }));
  const costs = arms.map((): number[] => []);
  let reasons = 0;
  for (let round = 0; round < WARM_UP_ROUNDS + ROUNDS; round++) {
    for (const [index, { run }] of arms.entries()) {
      const began = performance.now();
      reasons = run(rows);
      const tookNs = ((performance.now() - began) * 1e6) / rows.length;
      if (round >= WARM_UP_ROUNDS) costs[index]?.push(tookNs);
    }
  }
  const figures = Object.fromEntries(
    arms.flatMap(({ name }, index) => {
      const { p50, p99 } = percentiles(costs[index] ?? []);
      return [
        [`${name}_p50_ns`, p50],
        [`${name}_p99_ns`, p99],
      ];
    }),
  );
  const own = figures['data_p50_ns'] ?? Number.NaN;
  const ratio = own / (figures['code_p50_ns'] ?? Number.NaN);
  return {
    caseName,
    inputs: { rows: ROWS, rounds: ROUNDS },
    versions: {},
    settings: {},
    perSecond: 1e9 / own,
    figures: {
      ...figures,
      ...(Number.isNaN(ratio) ? {} : { times_the_code: ratio }),
      reasons_a_row: reasons / rows.length,
    },
    ceilings: [],
    tables: [],
    breaches: [
      ...(own > ROW_MAX_NS ? [`a transaction took ${own.toFixed(0)} ns`] : []),
      ...(ratio > TIMES_THE_CODE_MAX ? [`data took ${ratio.toFixed(2)} times as long`] : []),
    ],
  };
}

/** Keys of the inputs, in the order of the rule sets. */
const INPUTS = ['corridor', 'currency', 'in_list.watched', 'metadata.tier', 'rate.USD'];
const TIERS = [null, 'gold', 'new', 'gold'];

function inputsOf(index: number): Inputs {
  const currency = index % 3 === 0 ? 'EGP' : 'USD';
  return ['US-EG', currency, index % 50 === 0, TIERS[index % TIERS.length] ?? null, 1];
}
