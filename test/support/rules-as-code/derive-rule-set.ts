/** Derivation as it was while rules were code. */
import type { ManualFrom } from '../../../src/core/domain/stricter.ts';
import type { CompiledRuleSet } from './compile-rule-set.ts';

export type Derivation = {
  /** Reason codes of rules that are off. */
  readonly without: readonly string[];
  /** Points by which the thresholds of review and decline are lowered. */
  readonly tightenedBy: number;
  /** Amounts from it on are not approved; null: there is no such bound. */
  readonly manualFrom: ManualFrom | null;
};

/** Rules that the base lacks are passed over. */
export function deriveRuleSet(base: CompiledRuleSet, derivation: Derivation): CompiledRuleSet {
  const { without, tightenedBy, manualFrom } = derivation;
  const isOff = ({ rule }: CompiledRuleSet['rules'][number]) => without.includes(rule.reasonCode);
  const off = base.rules.filter(isOff).map(({ rule }) => `-without-${rule.reasonCode}`);
  const tightened = tightenedBy === 0 ? '' : `-tightened-${tightenedBy}`;
  const manual = manualFrom === null ? '' : `-manual-from-${textOf(manualFrom, '-')}`;
  const lower = (points: number) => Math.ceil(lowered(points, tightenedBy));
  const id = `${base.id}${off.sort().join('')}${tightened}${manual}`;
  if (id === base.id) return base;
  return {
    id,
    featureSchema: base.featureSchema,
    rules: base.rules.filter((one) => !isOff(one)),
    verdicts: { review: lower(base.verdicts.review), decline: lower(base.verdicts.decline) },
    tightenedBy,
    manualFrom,
  };
}

export const textOf = ({ amount, currency }: ManualFrom, between: string) =>
  currency === null ? `${amount}` : `${amount}${between}${currency}`;

/** A threshold loses at most half, as a model's may be lower than the points that were chosen for the rules'. */
export const lowered = (threshold: number, by: number) => Math.max(threshold / 2, threshold - by);
