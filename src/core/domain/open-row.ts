/**
 * Transactions of one commit that one stream entry carries. Their row is open until each of them is final: it has a score, or
 * a dead letter that is not replayed.
 */
export type OpenRow = {
  readonly rowId: string;
  readonly corridor: string;
  /** Shard of its stream when it was opened. */
  readonly shard: number;
  /** Transactions that are not final, at most 128, in the order of their entry. */
  readonly transactionIds: readonly string[];
};
