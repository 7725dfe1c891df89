/** Why a score is what it is: made by `scoring/explain.ts` and a model, served by query and http. */

type FeatureValue = {
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
  /** Value that the bands judged; null when a feature was missing or a condition did not hold. */
  readonly value: number | null;
  /** Weight in 0..1 that went into the risk; 0 when it did not fire. */
  readonly weight: number;
  /** Lower bound (inclusive) of the band it fell into; null when it did not fire. */
  readonly band: number | null;
  readonly detail: string | null;
};

/** How a model's margin is taken apart: along the way through its trees, or exactly, by Shapley values. */
export const EXPLANATION_METHODS = ['path', 'shapley'] as const;
export type ExplanationMethod = (typeof EXPLANATION_METHODS)[number];

/** How the deciding model came to its margin: base + all contributions = margin, in log-odds. */
export type ModelExplanation = {
  /** `name@version` */
  readonly model: string;
  readonly method: ExplanationMethod;
  readonly base: number;
  readonly margin: number;
  /** Calibrated probability of the margin. */
  readonly probability: number;
  /** Every feature of the model, the greatest contribution first. */
  readonly contributions: readonly {
    readonly feature: string;
    /** Null when it was missing. */
    readonly value: number | null;
    readonly contribution: number;
    /** A sentence an analyst reads. */
    readonly detail: string;
  }[];
};

export type Explanation = {
  readonly featureSchema: number;
  readonly ruleSet: string;
  readonly features: readonly FeatureValue[];
  readonly rules: readonly RuleOutcome[];
};
/** The explanation with the deciding model's part, which is null where the rules judged alone. */
export type WholeExplanation = Explanation & { readonly model: ModelExplanation | null };
