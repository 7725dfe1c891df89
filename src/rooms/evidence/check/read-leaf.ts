/** Reads leaves. The columns beside a leaf are not in the tree, so nothing is believed that they say. */
import { z } from 'zod';
import { CONTENT_KINDS } from '../log/contents.ts';

export const gapSchema = z.object({
  kind: z.literal('gap'),
  from: z.iso.datetime(),
  to: z.iso.datetime(),
});
export const leafSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('scores'), count: z.int(), sha256: z.string() }),
  z.object({ kind: z.enum(CONTENT_KINDS), id: z.string(), sha256: z.string() }),
  gapSchema,
]);

/** @returns undefined where the leaf says something else; the comparison with the tiles names such a leaf */
export function readLeaf<Said>(schema: z.ZodType<Said>, leaf: string): Said | undefined {
  try {
    return schema.safeParse(JSON.parse(leaf)).data;
  } catch {
    return undefined;
  }
}
