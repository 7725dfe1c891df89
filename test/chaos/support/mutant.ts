/** A mechanism that a test of the tests takes out of a copy of the engine. */
export type Replacement = {
  readonly file: string;
  /** Stands exactly once in the file. */
  readonly find: string;
  readonly replace: string;
};

export type Mutant = Replacement & {
  readonly name: string;
  readonly what: string;
  /** The scenario that must fail. */
  readonly scenario: string;
  /** The bar that must be breached, for a mechanism that guards no invariant by itself. */
  readonly bar?: string;
  readonly also?: readonly Replacement[];
};
