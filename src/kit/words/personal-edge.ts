/** Tokens of personal values, as the edge needs them. */
export type PersonalEdge = {
  /**
   * Fields of a question with tokens in place of clear values. A value that is new gets a token that nothing has, and a
   * token of a subject stays.
   */
  readonly find: <Fields extends object>(fields: Fields) => Promise<Fields>;
  readonly declares: (field: string) => boolean;
  /** The token of a value of a declared field; undefined where nobody has sent the value. */
  readonly seek: (field: string, value: string) => Promise<string | undefined>;
  /** The tokens of values of a declared field, which are made where a value is new. */
  readonly tokensOf: (field: string, values: readonly string[]) => Promise<readonly string[]>;
  /** JSON text of an answer with clear values in place of tokens, in declared fields alone. */
  readonly reveal: (text: string) => Promise<string>;
};
