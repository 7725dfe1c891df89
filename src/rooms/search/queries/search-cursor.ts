/**
 * Cursors of searches: the row after which a list goes on, and a digest of what was asked. Rows may arrive between two pages, as no row
 * has a number.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { SCORE_MAX } from '../../../core/domain/score-record.ts';
import type { RowPosition } from '../../../core/store/search/search-rows.ts';
import { decodeJsonCursor, encodeJsonCursor } from '../../../kit/words/cursor.ts';
import { WRITTEN_MS_MAX } from '../../../kit/words/wire-time.ts';

/** `value` is a score in the order of scores, and null in the order of time. */
type SearchCursor = { readonly digest: string; readonly after: RowPosition };

const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const DIGEST_BYTES = 9;

const id = z
  .string()
  .regex(ID)
  .refine((text) => timeOf(text) <= WRITTEN_MS_MAX);
const cursorSchema = z.tuple([z.string(), id, z.int().min(0).max(SCORE_MAX).nullable()]);

/** The time part of an id, epoch milliseconds. */
function timeOf(text: string): number {
  return Number.parseInt(text.slice(0, 8) + text.slice(9, 13), 16);
}

/** @param question whatever a cursor is bound to, in the order of its keys */
export function digestQuestion(question: object): string {
  const hash = createHash('sha256').update(JSON.stringify(question)).digest();
  return hash.subarray(0, DIGEST_BYTES).toString('base64url');
}

export const encodeSearchCursor = ({ digest, after: { id, value } }: SearchCursor): string =>
  encodeJsonCursor([digest, id, value === null ? null : Number(value)]);

/** Reads a cursor; undefined when it is none of ours. */
export function decodeSearchCursor(text: string): SearchCursor | undefined {
  const fields = decodeJsonCursor(text, cursorSchema);
  if (fields === undefined) return undefined;
  const [digest, id, score] = fields;
  return { digest, after: { id, atMs: timeOf(id), value: score === null ? null : String(score) } };
}
