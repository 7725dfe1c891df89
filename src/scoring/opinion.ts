/** What a model made of one vector: a value, so that the core which decides by it stays pure. */

export type Opinion = {
  /** Calibrated probability of fraud, 0..1. */
  readonly probability: number;
  /** Null: the bands of the rule set judge. */
  readonly bands: OpinionBands | null;
  /** What raised it most, heaviest first; computed when asked, which is for what is not approved. */
  readonly factors: () => readonly Factor[];
};

/** Lower bounds of the risk, inclusive; a verdict above 1 is never given. */
export type OpinionBands = { readonly reviewFrom: number; readonly declineFrom: number };

/** A feature that raised the margin. */
export type Factor = {
  readonly feature: string;
  /** NaN when it was missing. */
  readonly value: number;
  /** Log-odds above 0. */
  readonly contribution: number;
};
