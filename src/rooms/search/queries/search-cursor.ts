/**
 * Cursors of searches: the row after which a list goes on, and a digest of what was asked. Rows may arrive between two pages, as no row
 * has a number.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { SCORE_MAX } from '../../../core/domain/score-record.ts';
import type { RowPosition } from '../../../core/store/search/search-rows.ts';
import {
  decodeCursor,
  decodeJsonCursor,
  encodeCursor,
  encodeJsonCursor,
} from '../../../kit/words/cursor.ts';

/** `value` is a score in the order of scores, and null in the order of time. */
type SearchCursor = { readonly digest: string; readonly after: RowPosition };

const DIGEST_BYTES = 9;

const cursorSchema = z.tuple([z.string(), z.string(), z.int().min(0).max(SCORE_MAX).nullable()]);

/** @param question whatever a cursor is bound to, in the order of its keys */
export function digestQuestion(question: object): string {
  const hash = createHash('sha256').update(JSON.stringify(question)).digest();
  return hash.subarray(0, DIGEST_BYTES).toString('base64url');
}

export const encodeSearchCursor = ({ digest, after }: SearchCursor): string =>
  encodeJsonCursor([digest, encodeCursor(after), after.value && Number(after.value)]);

/** Reads a cursor; undefined where the engine did not make it. */
export function decodeSearchCursor(text: string): SearchCursor | undefined {
  const [digest = '', position = '', score = null] = decodeJsonCursor(text, cursorSchema) ?? [];
  const after = decodeCursor(position);
  return after && { digest, after: { ...after, value: score === null ? null : String(score) } };
}
