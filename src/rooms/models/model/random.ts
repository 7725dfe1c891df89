/** Uniform in [0, 1), from a generator that the caller seeds, so that a seed determines the result. */
export type Random = () => number;
