/** Why a stored score is what it is: made by `scoring/explain.ts`, served by query and http. */

export type FeatureValue = {
  readonly name: string;
  /** Null when the feature was missing. */
  readonly value: number | null;
  readonly unit: string;
  readonly description: string;
};

/** What one rule of the rule set made of the vector. */
export type RuleOutcome = {
  readonly id: string;
  readonly code: string;
  readonly summary: string;
  readonly fired: boolean;
  /** What the bands judged; null when a feature was missing or a condition did not hold. */
  readonly value: number | null;
  /** Weight in 0..1 that went into the risk; 0 when it did not fire. */
  readonly weight: number;
  /** Lower bound (inclusive) of the band it fell into; null when it did not fire. */
  readonly band: number | null;
  readonly detail: string | null;
};

export type Explanation = {
  readonly featureSchema: number;
  readonly ruleSet: string;
  readonly features: readonly FeatureValue[];
  readonly rules: readonly RuleOutcome[];
};
