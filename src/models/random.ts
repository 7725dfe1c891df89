/** Uniform in [0, 1), from a seeded generator: the caller's, so that a seed names one result. */
export type Random = () => number;
