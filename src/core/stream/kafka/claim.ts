/**
 * A partition that the group has assigned to this worker, from the assignment until the next one. Offsets may be done in any order;
 * the offset to commit is the first that is not done. Pure.
 */
export type Claim = {
  readonly topic: string;
  readonly partition: number;
  /** Offset that the group had when it assigned the partition. */
  readonly begin: bigint;
  /** Where the next fetch begins. */
  position: bigint;
  /** Entries below may have been delivered before, as the log ended here when the partition was assigned. */
  readonly endedAt: bigint;
  /** Offset that the group has. */
  committed: bigint;
  /** How often it was assigned at its first offset and not given up, this time included. */
  readonly tries: number;
  /** Transactions of what was read and is not done, by offset, in ascending order. */
  readonly open: Map<bigint, number>;
};

export const nameOfPartition = (topic: string, partition: number): string =>
  `${topic}/${partition}`;

export function openClaim(
  { topic, partition }: { readonly topic: string; readonly partition: number },
  {
    begin,
    endedAt,
    committed = begin,
  }: { readonly begin: bigint; readonly endedAt: bigint; readonly committed?: bigint },
): Claim {
  const offsets = { begin, position: begin, endedAt, committed };
  return { topic, partition, ...offsets, tries: 1, open: new Map() };
}

/** A partition and the offset that the group had when it was assigned. */
export const startOf = ({ topic, partition, begin }: Claim): string =>
  `${nameOfPartition(topic, partition)}@${begin}`;

/** The offset to commit: everything below it is done. */
export function doneUpTo({ open, position }: Claim): bigint {
  const [first] = open.keys();
  return first ?? position;
}
