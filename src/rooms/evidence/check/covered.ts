/** Says which scores a log covers: scores since its first leaf, but for its gaps. */
import { z } from 'zod';
import { timestampArray } from '../../../kit/database/binary-array.ts';
import type { Query } from '../../../kit/database/pool.ts';
import { parseJson } from '../../../kit/words/cursor.ts';
import { CONTENT_KINDS } from '../log/contents.ts';
import { type LogRow, readEntries, readGaps } from '../store/evidence-log.ts';

/**
 * A log covers scores that are dated so long after it began, or after a gap ended, as the clock of their worker may be ahead.
 * Longer: more scores that nobody misses; shorter: an older score counts as inserted.
 */
const AHEAD_MS = 60_000;
/** The last time that JavaScript and Postgres can tell. */
const END_MS = 8.64e15;

const firstSchema = z.object({ sealed_at: z.iso.datetime() });

const gapSchema = z.object({
  kind: z.literal('gap'),
  from: z.iso.datetime(),
  to: z.iso.datetime(),
});
export const leafSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('scores'), count: z.int(), sha256: z.string() }),
  z.object({ kind: z.enum(CONTENT_KINDS), id: z.string(), sha256: z.string() }),
  gapSchema,
]);

/** Believes leaves alone, as the tree has their hashes. A log whose first leaf cannot be read covers nothing. */
export async function readCovered(query: Query, { logId, size }: LogRow) {
  const [first] = await readEntries(query, logId, 0, 1);
  const begun = readLeaf(firstSchema, first?.leaf ?? '')?.sealed_at;
  const fromMs = begun === undefined ? END_MS : Date.parse(begun) + AHEAD_MS;
  const gaps = (await readGaps(query, logId, size)).flatMap(({ leaf }) => {
    const gap = readLeaf(gapSchema, leaf);
    return gap === undefined
      ? []
      : { fromMs: Date.parse(gap.from), toMs: Date.parse(gap.to) + AHEAD_MS };
  });
  const uncovered = [{ fromMs: 0, toMs: fromMs }, ...gaps];
  return {
    from: new Date(fromMs).toISOString(),
    has: (scoredAtMs: number) =>
      !uncovered.some((range) => scoredAtMs >= range.fromMs && scoredAtMs <= range.toMs),
    /** Beginnings and ends of the ranges of `scored_at` that are not covered. */
    uncovered: [
      timestampArray(uncovered.map((range) => range.fromMs)),
      timestampArray(uncovered.map((range) => range.toMs)),
    ] as const,
  };
}

/**
 * Reads leaves. The columns beside a leaf are not in the tree, so nothing is believed that they say.
 * @returns undefined where the leaf says something else; the comparison with the tiles names such a leaf
 */
export const readLeaf = <Said>(schema: z.ZodType<Said>, leaf: string): Said | undefined =>
  schema.safeParse(parseJson(leaf)).data;
