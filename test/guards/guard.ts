/** A row of the index of what the engine promises and offers. */
export type Guard = {
  /** The promise or the capability, in one sentence. */
  readonly says: string;
  /**
   * Where a user meets it, with commas between: operations (`GET /v1/x`), commands (`risk x y`), pages of the console
   * (`console /x`) and settings (`RISK_X`).
   */
  readonly shown?: string;
  /** The test that goes red without the mechanism: a file below `test/`, then its title as the file has it; ` > ` between them. */
  readonly test: string;
  /** The file in which the mechanism can be taken out. */
  readonly mechanism: string;
};

/** Rows of one area, by their names. */
export type Guards = Readonly<Record<string, Guard>>;
