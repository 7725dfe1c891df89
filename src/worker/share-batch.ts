/**
 * How many entries of each stream make up the next batch. Equal shares would let a corridor that brings
 * twice as much fall behind the others in time, and transactions of merchants that they share would arrive
 * late, beyond a few hundred at the cost of a rebuild. Shares by backlog alone would let a flooded corridor starve the
 * others. So a longer backlog counts for more, up to a bound. Streams that may hold nothing share what room
 * is left, and take nothing from one that does. Pure.
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
  const weights = busy.map(weightOf);
  const ofBusy = Math.min(batchEntries, room) / sum(weights);
  const left = busy.length === 0 ? room : room - Math.min(batchEntries, room);
  // At most as much as the least of the busy ones, or a whole batch.
  const least = busy.length === 0 ? batchEntries : ofBusy * Math.min(...weights);
  const ofOther = Math.min(least, left / (waiting.length - busy.length));
  const shares = waiting.map((count) => (count > 0 ? weightOf(count) * ofBusy : ofOther));
  return shares.map((share) => Math.max(1, Math.floor(share)));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
