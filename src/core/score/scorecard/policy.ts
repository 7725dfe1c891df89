/** A policy of people: what a scorecard decides by, whatever table a night has learnt. */
export type Policy = {
  /** `scorecard-policy@N`, as a model of the registry. */
  readonly name: string;
  /** Measures that add no points. */
  readonly leftOut: readonly string[];
  /** Shares of payments that are at most reviewed or declined, and declined: multiples of 0.001. */
  readonly reviewShare: number;
  readonly declineShare: number;
  /** Share of a day's verdicts that a night may change. */
  readonly bound: number;
  readonly endsAtMs: number;
};
