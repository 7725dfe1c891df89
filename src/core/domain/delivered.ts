import type { Transaction } from './transaction.ts';

/** A transaction as an entry of a stream delivers it. */
export type DeliveredTransaction = Transaction & {
  /** `traceparent` of the span that sent it; null where its request is not sampled. */
  readonly sender: string | null;
};
