/**
 * How many entries of each stream make up the next batch. Equal shares would let a corridor that brings
 * twice as much fall behind the others in time, and transactions of merchants that they share would arrive
 * late, each at the cost of a rebuild. Shares by backlog alone would let a flooded corridor starve the
 * others. So a longer backlog counts for more, up to a bound. Pure.
 */

/** Of a busy stream against the least that any other gets. */
const WEIGHT_MAX = 4;

/**
 * @param waiting entries that each stream is known to hold; 0 for none, or when nobody knows
 * @param room entries that may be read in all
 * @returns entries of each stream, at least one
 */
export function shareBatch(
  waiting: readonly number[],
  batchEntries: number,
  room: number,
): number[] {
  const busy = waiting.filter((count) => count > 0);
  const mean = sum(busy) / busy.length;
  const weightOf = (count: number) => Math.min(Math.max(1, count / mean), WEIGHT_MAX);
  // A stream that may be empty is asked for as much as the least of the busy ones, or for a whole batch.
  const total = Math.max(1, sum(busy.map(weightOf)));
  const shares = waiting.map((count) => ((count > 0 ? weightOf(count) : 1) / total) * batchEntries);
  const scale = Math.min(1, room / sum(shares));
  return shares.map((share) => Math.max(1, Math.floor(share * scale)));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
