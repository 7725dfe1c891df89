/**
 * Cursors of searches: where one goes on, and a digest of what was asked. A cursor holds positions in the order and no row
 * numbers, so that rows may arrive between two pages.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { SCORE_MAX } from '../../../core/domain/score-record.ts';
import type { RowPosition } from '../../../core/store/search/search-slice.ts';
import { decodeJsonCursor, encodeJsonCursor, type Position } from '../../../kit/words/cursor.ts';
import { WRITTEN_MS_MAX } from '../../../kit/words/wire-time.ts';

/** Where a pass goes on; see passes.ts. */
export type PassPosition = {
  /** The pass has read up to here; null: it begins. */
  readonly after: RowPosition | null;
  /** A window, which begins after `after` and ends here, goes on after `listed`. Null: no window was begun. */
  readonly window: { readonly until: Position | null; readonly listed: RowPosition } | null;
};

export type SearchPosition = PassPosition & {
  /** The number of the pass. */
  readonly pass: number;
};

type SearchCursor = { readonly digest: string; readonly position: SearchPosition };

const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const VALUE = /^(0|[1-9]\d{0,14})(\.\d{1,4})?$/;
const WHOLE = /^\d+$/;
const DIGEST_BYTES = 9;

const id = z
  .string()
  .regex(ID)
  .refine((text) => timeOf(text) <= WRITTEN_MS_MAX);
const row = z.tuple([id, z.string().regex(VALUE).nullable()]).nullable();
/** Digest, pass, after, listed, until. */
const cursorSchema = z
  .tuple([z.string(), z.int().min(0).max(1), row, row, id.nullable()])
  .refine(([, , , listed, until]) => listed !== null || until === null);

/** The time part of an id, epoch milliseconds. */
function timeOf(text: string): number {
  return Number.parseInt(text.slice(0, 8) + text.slice(9, 13), 16);
}

/** @param question whatever a cursor is bound to, in the order of its keys */
export function digestQuestion(question: object): string {
  const hash = createHash('sha256').update(JSON.stringify(question)).digest();
  return hash.subarray(0, DIGEST_BYTES).toString('base64url');
}

export function encodeSearchCursor({ digest, position }: SearchCursor): string {
  const { pass, after, window } = position;
  const pair = (position: RowPosition | null | undefined) =>
    position ? [position.id, position.value] : null;
  const until = window?.until?.id ?? null;
  return encodeJsonCursor([digest, pass, pair(after), pair(window?.listed), until]);
}

/** Reads a cursor; undefined when it is none of ours. */
export function decodeSearchCursor(text: string): SearchCursor | undefined {
  const fields = decodeJsonCursor(text, cursorSchema);
  if (fields === undefined) return undefined;
  const [digest, pass, after, listed, end] = fields;
  const toRow = (pair: [string, string | null]): RowPosition => ({
    id: pair[0],
    atMs: timeOf(pair[0]),
    value: pair[1],
  });
  const until = end === null ? null : { id: end, atMs: timeOf(end) };
  const window = listed && { listed: toRow(listed), until };
  return { digest, position: { pass, after: after && toRow(after), window } };
}

/** Whether a value of a row is a score. */
export const isScoreValue = (value: string | null): boolean =>
  value !== null && WHOLE.test(value) && Number(value) <= SCORE_MAX;
