/** A model's judgement of one vector: a value, so that the core which decides by it stays pure. */
export type Opinion = {
  /** Calibrated probability of fraud, 0..1. */
  readonly probability: number;
  /** Null: the bands of the rule set apply. */
  readonly bands: OpinionBands | null;
  /** The factors that raised the probability most, greatest first; computed only for transactions that are not approved. */
  readonly factors: () => readonly Factor[];
};

/** Lower bounds of the risk, inclusive; a verdict above 1 is never given. */
export type OpinionBands = {
  readonly reviewFrom: number;
  readonly declineFrom: number;
  /** The bounds are of the probability alone, to which no rule adds. */
  readonly isOfProbability?: true;
};

/** A feature that raised the margin. */
export type Factor = {
  readonly feature: string;
  /** NaN when it was missing. */
  readonly value: number;
  /** Log-odds above 0. */
  readonly contribution: number;
  /** For people; without it the meaning of the feature, and the value. */
  readonly sentence?: string;
};

/** Most factors that become reasons of one score. */
const FACTORS_MAX = 4;

/** The factors that raised the margin most, the greatest first. */
export const topFactors = (factors: readonly Factor[]): Factor[] =>
  factors
    .filter(({ contribution }) => contribution > 0)
    .sort((a, b) => b.contribution - a.contribution)
    .slice(0, FACTORS_MAX);
