/** The port by which the HTTP edge keeps answers to writes with an idempotency key. */

/** Least time that an answer is kept. Shorter: a retry after a night is carried out twice; longer: more rows. */
export const ANSWER_KEPT_HOURS = 24;

/** The row of an earlier request with the key. */
export type EarlierRequest = {
  readonly fingerprint: Buffer;
  /** Null while the request runs, and where its process died. */
  readonly answer: Buffer | null;
  readonly ageMs: number;
};

export type KeptAnswers = {
  /** Claims a key in a commit of its own. @returns the earlier request that has the key, if any */
  readonly claim: (digest: Buffer, fingerprint: Buffer) => Promise<EarlierRequest | undefined>;
  /** Keeps the answer. Never rejects, as the request is done even where the row cannot be written. */
  readonly store: (digest: Buffer, answer: Buffer) => Promise<void>;
  /** Frees the key of a request that has stored nothing; never rejects. */
  readonly release: (digest: Buffer) => Promise<void>;
};
