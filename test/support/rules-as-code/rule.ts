/**
 * The terms of rules. A rule measures one value of the logged vector; the bands of a rule set turn the value
 * into a weight. Rules are code, numbers are data (rule-sets/): a threshold changes with a rule set version,
 * never with a release.
 */
import type { FeatureName } from '../../../src/core/domain/feature-schema.ts';

/** Numbers of a rule's conditions, by name. */
export type Bounds = Readonly<Record<string, number>>;

export type Rule = {
  readonly id: string;
  readonly reasonCode: string;
  /** A sentence for analysts: the abuse that the rule catches. */
  readonly summary: string;
  /** Every feature it reads. */
  readonly features: readonly FeatureName[];
  /** Names and units of the bounds that a rule set must give. */
  readonly bounds: Readonly<Record<string, string>>;
  /**
   * The value that the bands judge; the higher, the worse. NaN, which never fires, when a feature it
   * needs is missing or a condition does not hold.
   */
  measure(vector: Float64Array, bounds: Bounds): number;
  /** A sentence an analyst reads, for a vector on which it fired. */
  detail(vector: Float64Array): string;
};

/**
 * A band reaches from `from` (inclusive) to the next band's `from` (exclusive). The weight rises linearly from
 * this band's to the next one's, so that values rank within a band too; the last band is constant.
 */
export type Band = {
  readonly from: number;
  /** 0..1: the risk of a transaction on which nothing else fires. */
  readonly weight: number;
};

export type RuleSettings = {
  readonly rule: string;
  /** `from` rises, and `weight` never falls. Below the first band the rule does not fire. */
  readonly bands: readonly Band[];
  readonly bounds: Bounds;
  /**
   * True where the rule adds to the risk even when a model decides: it is a policy, whatever a model has
   * learnt.
   */
  readonly isPolicy?: boolean;
};

/** Every number that a score depends on, under the name stored with the score. Pure data. */
export type RuleSet = {
  /** `name@version`. */
  readonly id: string;
  readonly featureSchema: number;
  /** A rule that is not listed is off. */
  readonly rules: readonly RuleSettings[];
  /** Least score of each verdict above `approve`. */
  readonly verdicts: { readonly review: number; readonly decline: number };
};
