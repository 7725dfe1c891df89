/**
 * How many transactions of each stream make up the next batch. Equal shares would let a busy corridor fall behind in time, so
 * that its merchants' transactions arrive late and need rebuilds; shares by backlog alone would let a flooded corridor starve
 * the others.
 */

/** Bound on a busy stream's share, as a multiple of the smallest one. */
const WEIGHT_MAX = 4;

/**
 * @param backlogs transactions of each stream that has more than it was asked for; 0 for all others
 * @returns transactions of each stream, at least one
 */
export function shareBatch(backlogs: readonly number[], batchTransactions: number): number[] {
  const busy = backlogs.filter((backlog) => backlog > 0);
  const mean = sum(busy) / busy.length;
  const weightOf = (backlog: number) => Math.min(Math.max(1, backlog / mean), WEIGHT_MAX);
  const weights = busy.map(weightOf);
  const ofBusy = batchTransactions / sum(weights);
  // Bounded by the smallest of the busy streams.
  const least = busy.length === 0 ? batchTransactions : ofBusy * Math.min(...weights);
  const ofOther = Math.min(least, batchTransactions / (backlogs.length - busy.length));
  const shares = backlogs.map((backlog) => (backlog > 0 ? weightOf(backlog) * ofBusy : ofOther));
  return shares.map((share) => Math.max(1, Math.floor(share)));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
