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
  const mean = busy.reduce((sum, count) => sum + count, 0) / busy.length;
  const weights = waiting.map((count) => Math.min(Math.max(1, count / mean || 1), WEIGHT_MAX));
  const total = weights.reduce((sum, weight, i) => sum + (waiting[i] === 0 ? 0 : weight), 0) || 1;
  const shares = weights.map((weight) => Math.min(1, weight / total) * batchEntries);
  const scale = Math.min(1, room / shares.reduce((sum, share) => sum + share, 0));
  return shares.map((share) => Math.max(1, Math.floor(share * scale)));
}
