/** The end of entries, once their transactions are decided, by the log that they came from. */
import type { StreamEntry } from '../group/read-group.ts';
import type { Settled, Settlement } from './settle.ts';

export type EntryEnds = {
  /** Ends entries, or replaces them. Throws a Failure that is not of one stream. */
  readonly settle: (settlements: readonly Settlement[]) => Promise<Settled>;
  /** Leaves entries that this release cannot read to workers that can. Throws a Failure. */
  readonly handOver: (entries: readonly StreamEntry[]) => Promise<void>;
};
