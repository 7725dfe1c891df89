/**
 * A model's figures for parts of the transactions, such as corridors or countries: who is flagged, which frauds
 * are caught.
 */

/** Segments that a card names; the rest are joined into one, so that the card stays readable. */
const SEGMENTS_MAX = 100;
const OTHERS = 'others';

type Tally = { rows: number; frauds: number; alarms: number; caught: number };

/** @param segments one name a row; @returns the largest first, those beyond SEGMENTS_MAX as `others` */
export function segmentFigures(
  probabilities: ArrayLike<number>,
  labels: ArrayLike<number>,
  segments: readonly string[],
  threshold: number,
) {
  const tallies = new Map<string, Tally>();
  for (const [row, segment] of segments.entries()) {
    const tally = tallies.get(segment) ?? { rows: 0, frauds: 0, alarms: 0, caught: 0 };
    tallies.set(segment, tally);
    const fraud = labels[row] === 1;
    const flagged = (probabilities[row] ?? 0) >= threshold;
    tally.rows++;
    if (fraud) tally.frauds++;
    if (flagged && fraud) tally.caught++;
    if (flagged && !fraud) tally.alarms++;
  }
  return largest(tallies).map(([segment, { rows, frauds, alarms, caught }]) => ({
    segment,
    rows,
    frauds,
    /** Share of the rows at or above the threshold. */
    flagged: (alarms + caught) / rows,
    /** Share of the legitimate rows at or above it; null without any. */
    falseAlarms: rows > frauds ? alarms / (rows - frauds) : null,
    /** Share of the frauds at or above it; null without any. */
    caught: frauds > 0 ? caught / frauds : null,
  }));
}

function largest(tallies: ReadonlyMap<string, Tally>): [string, Tally][] {
  const sorted = [...tallies].sort(
    ([a, { rows }], [b, other]) => other.rows - rows || (a < b ? -1 : 1),
  );
  const rest = sorted.splice(SEGMENTS_MAX).map(([, tally]) => tally);
  if (rest.length === 0) return sorted;
  const sum = (of: keyof Tally) => rest.reduce((total, tally) => total + tally[of], 0);
  const others = {
    rows: sum('rows'),
    frauds: sum('frauds'),
    alarms: sum('alarms'),
    caught: sum('caught'),
  };
  return [...sorted, [OTHERS, others]];
}
