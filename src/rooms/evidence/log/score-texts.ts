/** A stored score, as Postgres writes its row. */

/** A row of `scores` as Postgres writes it; times are epoch milliseconds. */
export type ScoreTexts = {
  readonly transactionId: string;
  readonly scoredAtMs: number;
  readonly accountId: string;
  readonly corridor: string;
  readonly score: string;
  readonly risk: string;
  readonly probability: string | null;
  readonly verdict: string;
  readonly reasons: string;
  /** The stored bytes in hex. */
  readonly features: string;
  readonly featureSchema: string;
  readonly ruleSet: string;
  readonly model: string | null;
  readonly attempts: string;
  readonly degradation: string;
  readonly featuresCrc32: string;
  readonly ruleInputs: string | null;
};

/** `jsonb` has the keys of a reason in the order in which the core makes them: code, detail, contribution. */
export const reasonsText = (json: string) =>
  json === '[]' ? json : JSON.stringify(JSON.parse(json));
