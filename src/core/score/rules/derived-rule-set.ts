/**
 * Rule sets that people derive for a time: without some rules, with lower thresholds, or with a review of larger amounts; and
 * rule sets with bands of a table. The name says all of it, so a score of any age is explained and verified by the name that it was stored with.
 */
import type { ManualFrom } from '../../domain/control.ts';
import type { CompiledRule, CompiledRuleSet } from './compile-rule-set.ts';
import type { Thresholds } from './rule-set-data.ts';

export type Derivation = Pick<CompiledRuleSet, 'tightenedBy' | 'manualFrom'> & {
  /** Reason codes of rules that are off. */
  readonly without: readonly string[];
};

/** `own@4-without-STRUCTURING-tightened-100-manual-from-2500.5-USD-bands-412-733`. */
const CHANGES =
  /^(?<without>(?:-without-[A-Z0-9_]+)*)(?:-tightened-(?<points>[1-9]\d{0,2}))?(?:-manual-from-(?<amount>(?:0|[1-9]\d{0,14})(?:\.\d{1,4})?)-(?<currency>[A-Z]{3}))?(?:-bands-(?<review>[1-9]\d{0,3})-(?<decline>[1-9]\d{0,3}))?$/;

const BASE = /^[a-z][a-z0-9-]{0,47}@[1-9]\d{0,5}/;

/** `name@version` at the start of the name of a rule set, which may be derived; undefined for a text that is no such name. */
export function baseName(name: string): string | undefined {
  const [base] = BASE.exec(name) ?? [];
  return base !== undefined && CHANGES.test(name.slice(base.length)) ? base : undefined;
}

/** Rules that the base lacks are passed over. */
export function deriveRuleSet(base: CompiledRuleSet, derivation: Derivation): CompiledRuleSet {
  const { without, tightenedBy, manualFrom } = derivation;
  const isOff = ({ code }: CompiledRule) => without.includes(code);
  const off = base.rules.filter(isOff).map(({ code }) => `-without-${code}`);
  const tightened = tightenedBy === 0 ? '' : `-tightened-${tightenedBy}`;
  const manual = manualFrom === null ? '' : `-manual-from-${textOf(manualFrom, '-')}`;
  const id = `${base.id}${off.sort().join('')}${tightened}${manual}`;
  if (id === base.id) return base;
  return {
    ...base,
    id,
    rules: base.rules.filter((rule) => !isOff(rule)),
    verdicts: lowerBoth(base.verdicts, tightenedBy),
    corridorVerdicts: new Map(
      [...base.corridorVerdicts].map(([corridor, own]) => [corridor, lowerBoth(own, tightenedBy)]),
    ),
    tightenedBy,
    manualFrom,
    // The function of the base decides; what fires without counting is passed over.
    programRules: base.programRules.map((programRule) =>
      programRule && isOff(programRule) ? undefined : programRule,
    ),
  };
}

/** The rule set with bands in place of the thresholds of all corridors, lowered as the thresholds were. */
export const bandRuleSet = (ruleSet: CompiledRuleSet, bands: Thresholds): CompiledRuleSet => ({
  ...ruleSet,
  id: `${ruleSet.id}-bands-${bands.review}-${bands.decline}`,
  verdicts: lowerBoth(bands, ruleSet.tightenedBy),
  corridorVerdicts: new Map(),
});

function lowerBoth({ review, decline }: Thresholds, by: number): Thresholds {
  const lower = (points: number) => Math.ceil(lowered(points, by));
  return { review: lower(review), decline: lower(decline) };
}

export const textOf = ({ amount, currency }: ManualFrom, between: string) =>
  `${amount}${between}${currency}`;

/** A threshold loses at most half, as a model's may be lower than the points that were chosen for the rules'. */
export const lowered = (threshold: number, by: number) => Math.max(threshold / 2, threshold - by);

/** The derived rule set of that name; undefined where no derivation of the base has it. */
export function parseDerived(base: CompiledRuleSet, name: string): CompiledRuleSet | undefined {
  const changes = name.startsWith(base.id) ? CHANGES.exec(name.slice(base.id.length)) : null;
  if (changes === null) return undefined;
  const { without = '', points, amount, currency, review, decline } = changes.groups ?? {};
  const fixed = deriveRuleSet(base, {
    without: without.split('-without-').slice(1),
    tightenedBy: Number(points ?? 0),
    manualFrom:
      amount === undefined || currency === undefined ? null : { amount: Number(amount), currency },
  });
  const isBanded = base.shares !== undefined && review !== undefined;
  const bands = { review: Number(review), decline: Number(decline) };
  const derived = isBanded ? bandRuleSet(fixed, bands) : fixed;
  return derived.id === name ? derived : undefined;
}
