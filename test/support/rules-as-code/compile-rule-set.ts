/** Joins a rule set's numbers with the code of its rules, and refuses an inconsistent one. */
import { SCORE_MAX } from '../../../src/core/domain/score-record.ts';
import type { ManualFrom } from '../../../src/core/domain/stricter.ts';
import type { Band, Bounds, Rule, RuleSet, RuleSettings } from './rule.ts';

/** A rule set ready to score with; its rules are in the order of the registry. */
export type CompiledRuleSet = {
  readonly id: string;
  readonly featureSchema: number;
  readonly rules: readonly CompiledRule[];
  readonly verdicts: RuleSet['verdicts'];
  /** Points by which `verdicts` were lowered, as a model's bands are. */
  readonly tightenedBy: number;
  /** Amounts from it on are not approved; null: there is no such bound. */
  readonly manualFrom: ManualFrom | null;
};

export type CompiledRule = {
  readonly rule: Rule;
  readonly bounds: Bounds;
  readonly bands: readonly Band[];
  /** Lower bound of the first band, below which the rule does not fire. */
  readonly from: number;
  readonly isPolicy: boolean;
};

/** Throws an Error that lists everything wrong with the rule set. */
export function compileRuleSet(ruleSet: RuleSet, registry: readonly Rule[]): CompiledRuleSet {
  const problems = [
    ...ruleSet.rules.flatMap((settings) => checkSettings(settings, registry)),
    ...checkVerdicts(ruleSet),
  ];
  const names = ruleSet.rules.map((settings) => settings.rule);
  if (new Set(names).size < names.length) problems.push('a rule is listed twice');
  if (problems.length > 0) throw new Error(`rule set ${ruleSet.id}: ${problems.join('; ')}`);
  const rules = registry.flatMap((rule) => {
    const settings = ruleSet.rules.find((candidate) => candidate.rule === rule.id);
    if (settings === undefined) return [];
    const { bounds, bands, isPolicy = false } = settings;
    const from = bands[0]?.from ?? Number.POSITIVE_INFINITY;
    return [{ rule, bounds, bands, from, isPolicy }];
  });
  const { id, featureSchema, verdicts } = ruleSet;
  return { id, featureSchema, rules, verdicts, tightenedBy: 0, manualFrom: null };
}

function checkSettings(settings: RuleSettings, registry: readonly Rule[]): string[] {
  const rule = registry.find((candidate) => candidate.id === settings.rule);
  if (rule === undefined) return [`rule ${settings.rule} is unknown`];
  const problems: string[] = [];
  const given = Object.keys(settings.bounds).sort().join();
  const wanted = Object.keys(rule.bounds).sort().join();
  if (given !== wanted) problems.push(`${rule.id} has bounds (${given}), needs (${wanted})`);
  if (!Object.values(settings.bounds).every(Number.isFinite)) {
    problems.push(`${rule.id} has a bound that is not a number`);
  }
  return [...problems, ...checkBands(rule.id, settings.bands)];
}

function checkBands(id: string, bands: readonly Band[]): string[] {
  const problems: string[] = [];
  if (bands.length === 0) problems.push(`${id} has no bands`);
  for (const [index, { from, weight }] of bands.entries()) {
    const before = bands[index - 1];
    if (!Number.isFinite(from)) problems.push(`${id} has a band that begins nowhere`);
    if (!(weight >= 0 && weight <= 1)) problems.push(`${id} has a weight outside 0..1`);
    if (before !== undefined && !(before.from < from && before.weight <= weight)) {
      problems.push(`${id} has bands that do not rise`);
    }
  }
  return problems;
}

function checkVerdicts({ verdicts: { review, decline } }: RuleSet): string[] {
  const rises = 0 < review && review <= decline && decline <= SCORE_MAX;
  return rises ? [] : [`verdicts must rise from 1 to ${SCORE_MAX}`];
}
