/** Decisions that people may make about a transaction; the final decision stands on its answer, above the verdict. */
export const DISPOSITIONS = ['fraud', 'legitimate', 'unsure'] as const;
export type Disposition = (typeof DISPOSITIONS)[number];
