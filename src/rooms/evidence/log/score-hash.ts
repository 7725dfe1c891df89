/**
 * The hash of a score: SHA-256 over a head and the score's columns in the order of their names, each as Postgres sends it in
 * binary: a length of 4 bytes (-1 is null), then the value. So a worker hashes what it sends, and writes no text for it.
 */
import { FEATURE_SCHEMA } from '../../../core/domain/feature-schema.ts';
import type { ScoreColumns } from '../../../core/store/scores/score-values.ts';
import {
  byteaArray,
  float8Array,
  HEADER_BYTES,
  int2Array,
  int4Array,
  textArray,
  timestampArray,
  uuidArray,
} from '../../../kit/database/binary-array.ts';
import { HASH_BYTES, putHash } from './tree.ts';

/** Keeps hashes of other things and versions apart. A score without a margin has the version before the margin. */
const HEAD = Buffer.from('score/3\n');
const HEAD_WITHOUT_MARGIN = Buffer.from('score/2\n');

/** An array in binary form, of a value for each score or of one value for all. */
type Column = { readonly values: Buffer; readonly isShared: boolean };

/** A row of `scores` as Postgres writes it; times are epoch milliseconds. */
export type ScoreTexts = {
  readonly transactionId: string;
  readonly scoredAtMs: number;
  readonly accountId: string;
  readonly corridor: string;
  readonly score: string;
  readonly risk: string;
  readonly probability: string | null;
  readonly verdict: string;
  readonly reasons: string;
  /** The stored bytes in hex. */
  readonly features: string;
  readonly featureSchema: string;
  readonly ruleSet: string;
  readonly model: string | null;
  readonly attempts: string;
  readonly degradation: string;
  readonly featuresCrc32: string;
  readonly ruleInputs: string | null;
  /** Null for a score of feature schema 3. */
  readonly margin: string | null;
  readonly scorecard: string | null;
  readonly byRules: string | null;
};

const each = (values: Buffer): Column => ({ values, isShared: false });
const shared = (values: Buffer): Column => ({ values, isShared: true });

/** Hashes the scores of a batch in memory. @returns their hashes, one behind the other */
export function hashScores(columns: ScoreColumns): Buffer {
  return hashColumns(HEAD, columns.count, [
    each(columns.accounts),
    each(columns.attempts),
    each(columns.byRules),
    each(columns.corridors),
    each(columns.degradations),
    shared(int2Array([FEATURE_SCHEMA])),
    each(columns.features),
    each(columns.checksums),
    each(columns.ids),
    each(columns.margins),
    each(columns.models),
    each(columns.probabilities),
    each(columns.reasons),
    each(columns.risks),
    columns.ruleInputs === null ? shared(textArray([null])) : each(columns.ruleInputs),
    each(columns.ruleSets),
    each(columns.scores),
    each(columns.scorecards),
    shared(timestampArray([columns.scoredAtMs])),
    each(columns.verdicts),
  ]);
}

/** Hashes stored scores. @returns their hashes, one behind the other */
export function hashRows(rows: readonly ScoreTexts[]): Buffer {
  const without = rows.filter(({ margin }) => margin === null).length;
  if (without > 0 && without < rows.length) {
    return Buffer.concat(rows.map((row) => hashRows([row])));
  }
  const isWithMargin = without === 0;
  const texts = (of: (row: ScoreTexts) => string | null) => each(textArray(rows.map(of)));
  const smallints = (of: (row: ScoreTexts) => string | null) =>
    each(int2Array(rows.map((row) => toNumber(of(row)))));
  const doubles = (of: (row: ScoreTexts) => string | null) =>
    each(float8Array(rows.map((row) => toNumber(of(row)))));
  return hashColumns(isWithMargin ? HEAD : HEAD_WITHOUT_MARGIN, rows.length, [
    texts((row) => row.accountId),
    smallints((row) => row.attempts),
    ...(isWithMargin ? [smallints((row) => row.byRules)] : []),
    texts((row) => row.corridor),
    smallints((row) => row.degradation),
    smallints((row) => row.featureSchema),
    each(byteaArray(rows.map((row) => Buffer.from(row.features, 'hex')))),
    each(int4Array(rows.map((row) => Number(row.featuresCrc32)))),
    each(uuidArray(rows.map((row) => row.transactionId))),
    ...(isWithMargin ? [doubles((row) => row.margin)] : []),
    texts((row) => row.model),
    doubles((row) => row.probability),
    texts((row) => reasonsText(row.reasons)),
    doubles((row) => row.risk),
    texts((row) => row.ruleInputs),
    texts((row) => row.ruleSet),
    smallints((row) => row.score),
    ...(isWithMargin ? [smallints((row) => row.scorecard)] : []),
    each(timestampArray(rows.map((row) => row.scoredAtMs))),
    texts((row) => row.verdict),
  ]);
}

const toNumber = (text: string | null) => (text === null ? null : Number(text));

const LENGTH_BYTES = 4;
/** Up to this many bytes a loop is faster than a call. */
const LOOPED_BYTES_MAX = 40;
/** Room for the short values of a score. */
const SHORT_BYTES = 1024;
let scratch = Buffer.alloc(64 * 1024);

/** Casts say that an index is within its array or buffer: columns have `count` values each, or one that is shared. */
function hashColumns(head: Buffer, count: number, columns: readonly Column[]): Buffer {
  head.copy(scratch);
  const hashes = Buffer.allocUnsafe(count * HASH_BYTES);
  const next = columns.map(() => HEADER_BYTES);
  for (let nth = 0; nth < count; nth++) {
    let at = head.length;
    for (let index = 0; index < columns.length; index++) {
      const { values, isShared } = columns[index] as Column;
      let from = next[index] as number;
      const to = from + LENGTH_BYTES + Math.max(0, lengthAt(values, from));
      if (!isShared) next[index] = to;
      if (to - from <= LOOPED_BYTES_MAX) {
        while (from < to) scratch[at++] = values[from++] as number;
      } else {
        makeRoom(at + to - from + SHORT_BYTES);
        at += values.copy(scratch, at, from, to);
      }
    }
    putHash(hashes, nth, scratch.subarray(0, at));
  }
  return hashes;
}

const lengthAt = (values: Buffer, at: number) =>
  ((values[at] as number) << 24) |
  ((values[at + 1] as number) << 16) |
  ((values[at + 2] as number) << 8) |
  (values[at + 3] as number);

function makeRoom(bytes: number): void {
  if (bytes <= scratch.length) return;
  const larger = Buffer.alloc(2 * bytes);
  scratch.copy(larger);
  scratch = larger;
}

/** Writes reasons as the core does: `jsonb` has the keys of a reason in the order code, detail, contribution. */
export const reasonsText = (json: string) =>
  json === '[]' ? json : JSON.stringify(JSON.parse(json));
