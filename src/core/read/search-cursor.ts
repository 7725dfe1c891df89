/**
 * Cursors of searches: where one goes on, and a digest of what was asked, as JSON in base64url. A cursor holds places in the
 * order and no row numbers, so that rows may arrive between two pages.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Position } from '../../kit/words/cursor.ts';
import { WRITTEN_MS_MAX } from '../../kit/words/wire-time.ts';
import { SCORE_MAX } from '../domain/score-record.ts';
import type { Place } from '../store/search/search-slice.ts';

/** Where a search goes on; see search.ts for its legs. */
export type SearchPosition = {
  readonly leg: number;
  /** The leg has read up to here; null: it begins. */
  readonly after: Place | null;
  /** A stretch, which begins after `after` and ends here, goes on after `listed`. Null: no stretch was begun. */
  readonly stretch: { readonly until: Position | null; readonly listed: Place } | null;
};

export type SearchCursor = { readonly digest: string; readonly position: SearchPosition };

const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const VALUE = /^(0|[1-9]\d{0,14})(\.\d{1,4})?$/;
const WHOLE = /^\d+$/;
const DIGEST_BYTES = 9;

const id = z
  .string()
  .regex(ID)
  .refine((text) => timeOf(text) <= WRITTEN_MS_MAX);
const place = z.tuple([id, z.string().regex(VALUE).nullable()]).nullable();
/** Digest, leg, after, listed, until. */
const cursorSchema = z.tuple([z.string(), z.int().min(0).max(1), place, place, id.nullable()]);

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
  const { leg, after, stretch } = position;
  const pair = (one: Place | null | undefined) => (one ? [one.id, one.value] : null);
  const fields = [digest, leg, pair(after), pair(stretch?.listed), stretch?.until?.id ?? null];
  return Buffer.from(JSON.stringify(fields)).toString('base64url');
}

/** Reads a cursor; undefined when it is none of ours. */
export function decodeSearchCursor(text: string): SearchCursor | undefined {
  const parsed = cursorSchema.safeParse(parseJson(Buffer.from(text, 'base64url').toString()));
  if (!parsed.success) return undefined;
  const [digest, leg, after, listed, until] = parsed.data;
  const toPlace = (pair: [string, string | null]): Place => ({
    ...{ id: pair[0], atMs: timeOf(pair[0]), value: pair[1] },
  });
  const cursor: SearchCursor = {
    digest,
    position: {
      leg,
      after: after && toPlace(after),
      stretch: listed && {
        listed: toPlace(listed),
        until: until === null ? null : { id: until, atMs: timeOf(until) },
      },
    },
  };
  return encodeSearchCursor(cursor) === text ? cursor : undefined;
}

/** A score as the value of a place. */
export const isScoreValue = (value: string | null): boolean =>
  value !== null && WHOLE.test(value) && Number(value) <= SCORE_MAX;

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
