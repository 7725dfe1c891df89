/** Tokens of personal values, as the edge needs them. */
export type PersonalEdge = {
  /**
   * Replaces clear values in the fields of a query by tokens. An unknown value becomes a token that no row has; a token stays
   * a token.
   */
  readonly find: <Fields extends object>(fields: Fields) => Promise<Fields>;
  readonly declares: (field: string) => boolean;
  /** Finds the token of a value of a declared field; undefined where the value has no subject. */
  readonly seek: (field: string, value: string) => Promise<string | undefined>;
  /** Returns the token of each value of a declared field, and makes a token for each new value. */
  readonly tokensOf: (field: string, values: readonly string[]) => Promise<readonly string[]>;
  /** Replaces tokens in the declared fields of a JSON answer by clear values. */
  readonly reveal: (text: string) => Promise<string>;
};
