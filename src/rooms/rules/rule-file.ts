/** A rule set as a file that people write: YAML, and what its examples say. Pure. */
import { stringify } from 'yaml';
import { FEATURE_LIST } from '../../core/domain/feature-schema.ts';
import type { CompiledRuleSet } from '../../core/score/rules/compile-rule-set.ts';
import { inputsOf } from '../../core/score/rules/rule-inputs.ts';
import {
  type RuleExample,
  ruleSchema,
  ruleSetSchema,
} from '../../core/score/rules/rule-set-data.ts';
import { score } from '../../core/score/score.ts';

const STYLE = { lineWidth: 0, aliasDuplicateObjects: false };

/** Members stand in the order of the schema; what another version of the engine wrote stays as it is. */
export const toYaml = (source: object): string =>
  stringify(ruleSetSchema.safeParse(source).data ?? source, STYLE);

/** Lines of a rule, as it stands among those of a file. */
export const ruleLines = (rule: unknown): string[] =>
  stringify([ruleSchema.safeParse(rule).data ?? rule], STYLE)
    .trimEnd()
    .split('\n');

type TestedExample = {
  readonly rule: string;
  /** From 1. */
  readonly example: number;
  /** A sentence about what differs; null: it passes. */
  readonly problem: string | null;
};

/** Tries the examples of the rules that are on. */
export function runExamples(ruleSet: CompiledRuleSet): TestedExample[] {
  return ruleSet.rules.flatMap(({ id, data: { examples = [] } }) =>
    examples.map((example, at) => {
      const { fires, verdict } = decide(ruleSet, id, example);
      const problems = [
        ...(example.fires === undefined || example.fires === fires
          ? []
          : [fires ? 'must not fire, and fires' : 'must fire, and does not']),
        ...(example.verdict === undefined || example.verdict === verdict
          ? []
          : [`must give ${example.verdict}, not ${verdict}`]),
      ];
      return { rule: id, example: at + 1, problem: problems.join('; ') || null };
    }),
  );
}

function decide(ruleSet: CompiledRuleSet, id: string, { given }: RuleExample) {
  const { probability, corridor = '', ...recorded } = given;
  const vector = Float64Array.from(FEATURE_LIST, ({ name }) =>
    Number(recorded[name] ?? Number.NaN),
  );
  const opinion =
    probability === undefined
      ? null
      : { probability: Number(probability), bands: null, factors: () => [] };
  const inputs = inputsOf(ruleSet, { corridor: String(corridor) }, recorded);
  const { verdict } = score({ vector, ruleSet, opinion, inputs });
  const { program, programRules } = ruleSet;
  const fired = program.decide(vector, inputs, opinion?.probability ?? Number.NaN);
  const fires = program.fired.subarray(0, fired).some((index) => programRules[index]?.id === id);
  return { fires, verdict };
}
