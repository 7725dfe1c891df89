/**
 * Contents and leaves: canonical JSON whose kind and version keep the hashes of different things apart. A sealed text never
 * changes, so a later column of a table takes a new version.
 */
import type { AuditEntry } from '../../../kit/words/audit.ts';
import { hashRows, reasonsText, type ScoreTexts } from './score-hash.ts';
import { HASH_BYTES, hashesOf, leafHash, sha256 } from './tree.ts';

type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/**
 * Scores of a leaf. More: bundles are larger, as each has all hashes of its set; fewer: more rows and leaves. Ids and hashes of so
 * many fill the chunks of 1,996 bytes in which Postgres keeps them.
 */
const SET_SCORES_MAX = 249;
export const ID_BYTES = 16;

/** Scores of one time, with ids and hashes one behind the other. */
export type HashedScores = {
  readonly ids: Buffer;
  readonly hashes: Buffer;
  readonly scoredAtMs: number;
};

/** A leaf of scores with the range of times of scoring by which they are found. */
export type NewSet = {
  readonly leaf: Leaf;
  readonly ids: Buffer;
  readonly hashes: Buffer;
  readonly scoredFromMs: number;
  readonly scoredToMs: number;
};

const toNumber = (text: string | null) => (text === null ? null : Number(text));

/** The content of a score: the values of which `hashRows` makes its hash. The id has the transaction's time. */
export function scoreContent(row: ScoreTexts): string {
  return canonicalJson({
    kind: 'score',
    ...(row.margin === null
      ? { v: 2 }
      : {
          ...{ v: 3, margin: Number(row.margin), scorecard: toNumber(row.scorecard) },
          by_rules: toNumber(row.byRules),
        }),
    id: row.transactionId,
    scored_at: new Date(row.scoredAtMs).toISOString(),
    account_id: row.accountId,
    corridor: row.corridor,
    score: Number(row.score),
    risk: Number(row.risk),
    probability: toNumber(row.probability),
    verdict: row.verdict,
    reasons: reasonsText(row.reasons),
    features: row.features,
    feature_schema: Number(row.featureSchema),
    features_crc32: toNumber(row.featuresCrc32),
    rule_set: row.ruleSet,
    rule_inputs: row.ruleInputs,
    model: row.model,
    attempts: Number(row.attempts),
    degradation: Number(row.degradation),
  });
}

/** A line of the audit log. */
export const auditContent = ({ audit_id: id, ...line }: AuditEntry): string =>
  canonicalJson({ kind: 'audit', v: 1, id, ...line });

export type ModelFacts = {
  readonly model: string;
  readonly modelId: string;
  readonly format: string;
  readonly featureSchema: number;
  readonly calibration: object | null;
  readonly createdAt: Date;
  readonly createdBy: string;
};

/** A version of a model, by the hash of its artefact. */
export function modelContent(facts: ModelFacts): string {
  return canonicalJson({
    kind: 'model',
    v: 1,
    id: facts.model,
    artefact_sha256: facts.modelId,
    format: facts.format,
    feature_schema: facts.featureSchema,
    calibration: facts.calibration,
    created_at: facts.createdAt.toISOString(),
    created_by: facts.createdBy,
  });
}

export type RuleSetFacts = {
  readonly ruleSet: string;
  readonly sha256: string;
  readonly author: string | null;
  readonly approvedBy: string | null;
  readonly approvedAt: Date | null;
};

/** A version of a rule set that may decide, by the hash of its canonical source. A rule set of the build has no author. */
export function ruleSetContent(facts: RuleSetFacts): string {
  return canonicalJson({
    kind: 'rule-set',
    v: 1,
    id: facts.ruleSet,
    source_sha256: facts.sha256,
    author: facts.author,
    approved_by: facts.approvedBy,
    approved_at: facts.approvedAt?.toISOString() ?? null,
  });
}

/** Kinds of leaves that have the hash of a content. */
export const CONTENT_KINDS = ['audit', 'model', 'rule-set'] as const;
export type ContentKind = (typeof CONTENT_KINDS)[number];
export type Kind = ContentKind | 'scores' | 'gap';

/** A leaf of the log. The leaf has hashes alone, so an erasure leaves nothing in the log. */
export type Leaf = { readonly text: string; readonly hash: Buffer };

const leafOf = (fields: object): Leaf => {
  const json = canonicalJson({ v: 1, ...fields });
  return { text: json, hash: leafHash(json) };
};

export function contentLeaf(
  kind: ContentKind,
  id: string,
  content: string,
  sealedAt: string,
): Leaf {
  const hash = sha256(content).toString('hex');
  return leafOf({ kind, id, sha256: hash, sealed_at: sealedAt });
}

/** The leaf of a set of scores: the hash of their hashes, one behind the other. */
export function setLeaf(hashes: Buffer, sealedAt: string): Leaf {
  const [count, hex] = [hashes.length / HASH_BYTES, sha256(hashes).toString('hex')];
  return leafOf({ kind: 'scores', v: 2, count, sha256: hex, sealed_at: sealedAt });
}

/** The leaf of a time in which nobody sealed: scores of this time may have no leaf. */
export const gapLeaf = (from: string, to: string): Leaf => leafOf({ kind: 'gap', from, to });

/**
 * Canonical JSON of RFC 8785: keys in the order of their UTF-16 units, numbers and texts as ECMAScript writes them.
 * @throws Error for what JSON cannot say
 */
export function canonicalJson(value: unknown): string {
  // A value that JSON cannot say is refused while it is written.
  return write(value as Json);
}

function write(value: Json): string {
  if (typeof value === 'number' && !Number.isFinite(value))
    throw new Error('JSON has no such number');
  if (value === null || typeof value !== 'object') return writeSimple(value);
  if (Array.isArray(value)) return `[${value.map(write).join(',')}]`;
  const fields = Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1));
  return `{${fields.map(([key, field]) => `${JSON.stringify(key)}:${write(field)}`).join(',')}}`;
}

function writeSimple(value: string | number | boolean | null): string {
  // A lone surrogate has no UTF-8, so two texts could have one hash.
  if (typeof value === 'string' && !value.isWellFormed()) throw new Error('a text is no Unicode');
  const text = JSON.stringify(value);
  if (text === undefined) throw new Error('JSON has no such value');
  return text;
}

/** @returns an element for each score */
export function hashedRows(rows: readonly ScoreTexts[]): HashedScores[] {
  const hashes = hashesOf(hashRows(rows));
  return rows.map(({ transactionId, scoredAtMs }, nth) => ({
    ids: Buffer.from(transactionId.replaceAll('-', ''), 'hex'),
    // hashRows returns a hash for each row.
    hashes: hashes[nth] as Buffer,
    scoredAtMs,
  }));
}

export function setsOf(scores: readonly HashedScores[], sealedAt: string): NewSet[] {
  const allIds = Buffer.concat(scores.map(({ ids }) => ids));
  const allHashes = Buffer.concat(scores.map(({ hashes }) => hashes));
  const times = scores.flatMap(({ ids, scoredAtMs }) =>
    new Array<number>(ids.length / ID_BYTES).fill(scoredAtMs),
  );
  const sets: NewSet[] = [];
  for (let from = 0; from < times.length; from += SET_SCORES_MAX) {
    const to = Math.min(times.length, from + SET_SCORES_MAX);
    const ids = allIds.subarray(from * ID_BYTES, to * ID_BYTES);
    const hashes = allHashes.subarray(from * HASH_BYTES, to * HASH_BYTES);
    const own = times.slice(from, to);
    sets.push({
      leaf: setLeaf(hashes, sealedAt),
      ids,
      hashes,
      scoredFromMs: Math.min(...own),
      scoredToMs: Math.max(...own),
    });
  }
  return sets;
}
