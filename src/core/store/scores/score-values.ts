/** A new score, and a batch of them as the parameters of the statement that stores scores. */
import { crc32 } from 'node:zlib';
import {
  byteaArray,
  float8Array,
  int2Array,
  int4Array,
  textArray,
  timestampArray,
  uuidArray,
} from '../../../kit/database/binary-array.ts';
import { padded } from '../../domain/feature-rows.ts';
import { FEATURE_SCHEMA } from '../../domain/feature-schema.ts';
import type { Decision, RuleInputs, ScoreRecord, Verdict } from '../../domain/score-record.ts';
import type { Transaction } from '../../domain/transaction.ts';

/** A score to store. */
export type NewScore = Pick<
  ScoreRecord,
  'features' | 'ruleInputs' | 'ruleSet' | 'model' | 'attempts' | 'degradation' | 'scorecard'
> & {
  readonly transaction: Transaction;
  readonly decision: Decision;
  readonly margin: number;
};

/** A score that is being stored, as rooms see the score at the seam `onScored`. */
type JustScored = {
  readonly transaction: { readonly transactionId: string };
  readonly tallied: { readonly verdict: Verdict };
};

/**
 * Rows that a room writes in the statement that stores scores, so that neither is stored without the other: review and webhooks
 * have such rows, and main/worker.ts hands their statements to the worker. A redelivery stores no score, and so adds nothing.
 */
export type ScoredStatement = {
  readonly name: string;
  /**
   * SQL that inserts. `ids` (uuid[]) and `verdicts` (text[]) are parameters of the stored scores, `scoredAtMs` (float8) is their
   * time, and `value` is the parameter that `toValue` gives.
   */
  readonly insert: (parameters: {
    ids: string;
    verdicts: string;
    scoredAtMs: string;
    value: string;
  }) => string;
  /** @param columns of the same scores; null where only some scores of a batch are stored */
  readonly toValue:
    | ((scores: readonly JustScored[], columns: ScoreColumns | null) => unknown)
    | null;
};

/** In the order of (created_at, transaction_id). */
export function compareScores(
  { transaction: left }: NewScore,
  { transaction: right }: NewScore,
): number {
  return (
    left.createdAtMs - right.createdAtMs || (left.transactionId < right.transactionId ? -1 : 1)
  );
}

export type ScoreColumns = ReturnType<typeof columnsOf>;

/** The columns of a batch as the insert sends them, arrays in Postgres' binary form, in the order of `compareScores`. */
export function columnsOf(rows: readonly NewScore[], scoredAtMs: number) {
  const decisions = rows.map((row) => row.decision);
  const transactions = rows.map((row) => row.transaction);
  return {
    scoredAtMs,
    count: rows.length,
    ruleSets: textArray(rows.map((row) => row.ruleSet)),
    ids: uuidArray(transactions.map((transaction) => transaction.transactionId)),
    createdAt: timestampArray(transactions.map((transaction) => transaction.createdAtMs)),
    accounts: textArray(transactions.map((transaction) => transaction.accountId)),
    corridors: textArray(transactions.map((transaction) => transaction.corridor)),
    scores: int2Array(decisions.map((decision) => decision.score)),
    risks: float8Array(decisions.map((decision) => decision.risk)),
    probabilities: float8Array(decisions.map((decision) => decision.probability)),
    verdicts: textArray(decisions.map((decision) => decision.verdict)),
    /** Each text is an array of `code`, `detail` and `contribution`, as `JSON.stringify` writes it. */
    reasons: textArray(
      decisions.map(({ reasons }) => (reasons.length === 0 ? '[]' : JSON.stringify(reasons))),
    ),
    features: byteaArray(packVectors(rows.map((row) => row.features))),
    models: textArray(rows.map((row) => row.model)),
    attempts: int2Array(rows.map((row) => row.attempts)),
    degradations: int2Array(rows.map((row) => row.degradation)),
    checksums: int4Array(rows.map((row) => vectorChecksum(row.features, row.ruleInputs))),
    // Without an array every row gets null, and nothing is encoded.
    ruleInputs: rows.some((row) => row.ruleInputs !== null)
      ? textArray(rows.map((row) => row.ruleInputs && JSON.stringify(row.ruleInputs)))
      : null,
    margins: float8Array(rows.map((row) => row.margin)),
    scorecards: int2Array(rows.map((row) => row.scorecard)),
    byRules: int2Array(decisions.map((decision) => decision.byRules)),
  };
}

/** The parameters of the insert, which has the columns in the order of `columnsOf`. */
export const insertValues = ({ scoredAtMs, count: _count, ...columns }: ScoreColumns) => [
  scoredAtMs,
  FEATURE_SCHEMA,
  ...Object.values(columns),
];

/**
 * A logged vector as it is stored (bytea): the little-endian doubles of a Float64Array, every bit of a NaN included, without their
 * bytes that are 0, which are two thirds:
 *
 *   u8       how many doubles
 *   u8 each  a bit for each byte of the double that follows below, the lowest byte first
 *   bytes    the bytes with a bit
 */
const DOUBLE_BYTES = 8;
const WORD_BYTES = 4;
/** The count of doubles is a byte. */
const VECTOR_MAX = 255;

/** Stands for NaN, which has many bit patterns; no feature has this value. */
const MISSING = -Number.MAX_VALUE;
let scratch = new Float64Array(0);
let bytes = new Uint8Array(scratch.buffer);

/** Bytes of each vector, for one statement. Throws a RangeError for a vector of more than 255 doubles. */
export function packVectors(vectors: readonly Float64Array[]): Uint8Array[] {
  let room = 0;
  for (const { length } of vectors) {
    if (length > VECTOR_MAX) throw new RangeError(`a vector of ${length} numbers: at most 255`);
    room += 1 + (1 + DOUBLE_BYTES) * length;
  }
  const packed = new Uint8Array(room);
  let from = 0;
  return vectors.map((vector) => {
    const to = packVector(vector, packed, from);
    const bytes = packed.subarray(from, to);
    from = to;
    return bytes;
  });
}

function packVector(vector: Float64Array, packed: Uint8Array, from: number): number {
  const words = new Uint32Array(vector.buffer, vector.byteOffset, 2 * vector.length);
  packed[from] = vector.length;
  let at = from + 1 + vector.length;
  for (let index = 0; index < words.length; index++) {
    const lowBit = (index & 1) * WORD_BYTES;
    let mask = 0;
    // Whole numbers have a lower word of 0.
    for (let rest = words[index] as number, bit = lowBit; rest !== 0; rest >>>= 8, bit++) {
      if ((rest & 255) === 0) continue;
      mask |= 1 << bit;
      packed[at++] = rest;
    }
    const maskAt = from + 1 + (index >> 1);
    packed[maskAt] = (packed[maskAt] as number) | mask;
  }
  return at;
}

/** The vector with all features of today; what damaged bytes lack is 0, and its checksum differs. */
export const toVector = (bytes: Uint8Array): Float64Array => padded(unpack(bytes));

/** Whether a vector, and what rules read beside it, have the checksum that was stored with them. */
export const isIntact = (bytes: Uint8Array, ruleInputs: RuleInputs | null, crc32: number) =>
  crc32 === vectorChecksum(unpack(bytes), ruleInputs);

function unpack(bytes: Uint8Array): Float64Array<ArrayBuffer> {
  const count = bytes[0] ?? 0;
  const vector = new Float64Array(count);
  const words = new Uint32Array(vector.buffer);
  let at = 1 + count;
  for (let index = 0; index < words.length; index++) {
    let mask = ((bytes[1 + (index >> 1)] ?? 0) >> ((index & 1) * WORD_BYTES)) & 15;
    let word = 0;
    for (let shift = 0; mask !== 0; mask >>= 1, shift += 8) {
      if ((mask & 1) !== 0) word |= (bytes[at++] ?? 0) << shift;
    }
    words[index] = word;
  }
  return vector;
}

/**
 * Makes a checksum of the logged vector and of what rules read beside the vector, signed as Postgres' integers are. A recomputed score
 * shows only changes that affect the score, and trees ignore most bits; CRC-32 finds every single flipped bit.
 */
export function vectorChecksum(vector: Float64Array, ruleInputs: RuleInputs | null): number {
  if (scratch.length !== vector.length) {
    scratch = new Float64Array(vector.length);
    bytes = new Uint8Array(scratch.buffer);
  }
  for (let index = 0; index < vector.length; index++) {
    const value = vector[index] as number;
    scratch[index] = Number.isNaN(value) ? MISSING : value;
  }
  const ofVector = crc32(bytes);
  return (ruleInputs === null ? ofVector : crc32(JSON.stringify(ruleInputs), ofVector)) | 0;
}
