/** An answer; `ageMs` is how far it may lag where memory or a replica gave a part of it. */
export type Aged<T> = { readonly answer: T; readonly ageMs: number | undefined };
