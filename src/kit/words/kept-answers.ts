/** Answers of writes that carry an idempotency key, as the edge has them kept. */

/** Answers are kept at least this long. Shorter: a retry after a night is carried out twice; longer: more rows. */
export const ANSWER_KEPT_HOURS = 24;

/** The row of an earlier request with the key. */
export type EarlierRequest = {
  readonly fingerprint: Buffer;
  /** Null while the request runs, and where its process died. */
  readonly answer: Buffer | null;
  readonly ageMs: number;
};

export type KeptAnswers = {
  /** Claims a key in a commit of its own; the earlier request where another one has the key. */
  readonly claim: (digest: Buffer, fingerprint: Buffer) => Promise<EarlierRequest | undefined>;
  /** Never rejects: the request has its outcome, whatever becomes of the row. */
  readonly store: (digest: Buffer, answer: Buffer) => Promise<void>;
  /** Frees the key of a request that has stored nothing; never rejects. */
  readonly release: (digest: Buffer) => Promise<void>;
};
