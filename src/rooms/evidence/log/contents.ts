/**
 * Contents and leaves: canonical JSON whose kind and version keep the hashes of different things apart. A sealed text never
 * changes, so a later column of a table takes a new version.
 */
import type { Reason } from '../../../core/domain/score-record.ts';
import type { AuditEntry } from '../../../kit/words/audit.ts';
import { canonicalJson } from './canonical.ts';
import { leafHash, sha256 } from './tree.ts';

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
  readonly featuresCrc32: string | null;
  readonly ruleInputs: string | null;
};

const REASON_FIELDS = 3;
let lastAt = { ms: 0, iso: '' };

/** Writes a time once for the scores of a batch, as a time takes as long to write as five fields. */
function isoOf(ms: number): string {
  if (lastAt.ms !== ms) lastAt = { ms, iso: new Date(ms).toISOString() };
  return lastAt.iso;
}

const text = JSON.stringify as (value: string | null) => string;
/** Canonical JSON of a `jsonb`, whose keys have another order in Postgres. */
const ordered = (json: string | null) => (json === null ? 'null' : canonicalJson(JSON.parse(json)));

/** Writes reasons of three fields fast, and any other reason by `canonicalJson`. */
function reasonsOf(json: string): string {
  const written = (JSON.parse(json) as readonly Reason[]).map((reason) => {
    const { code, contribution, detail } = reason;
    return Object.keys(reason).length === REASON_FIELDS
      ? `{"code":${text(code)},"contribution":${JSON.stringify(contribution)},"detail":${text(detail)}}`
      : canonicalJson(reason);
  });
  return `[${written.join(',')}]`;
}

const double = (number: string | null) => (number === null ? 'null' : String(Number(number)));

/**
 * The content of a score, whose id has the transaction's time. `salt` 0 says that `account_id` is the row's own; a later version
 * may hash the id with a salt.
 */
export function scoreContent(row: ScoreTexts): string {
  const reasons = row.reasons === '[]' ? '[]' : reasonsOf(row.reasons);
  // The keys stand in canonical order, which is ten times as fast as canonicalJson.
  return `{"account_id":${text(row.accountId)},"attempts":${row.attempts},"corridor":${text(row.corridor)},"degradation":${row.degradation},"feature_schema":${row.featureSchema},"features":"${row.features}","features_crc32":${row.featuresCrc32},"id":"${row.transactionId}","kind":"score","model":${text(row.model)},"probability":${double(row.probability)},"reasons":${reasons},"risk":${double(row.risk)},"rule_inputs":${ordered(row.ruleInputs)},"rule_set":${text(row.ruleSet)},"salt":0,"score":${row.score},"scored_at":"${isoOf(row.scoredAtMs)}","v":1,"verdict":${text(row.verdict)}}`;
}

/** A line of the audit log. */
export function auditContent({ auditId, changedAt, keyId, ...entry }: AuditEntry): string {
  const { who, action, subject, before, after, request } = entry;
  return canonicalJson({
    kind: 'audit',
    v: 1,
    id: auditId,
    changed_at: changedAt.toISOString(),
    who,
    key_id: keyId,
    action,
    subject,
    before,
    after,
    request,
  });
}

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

export const KINDS = ['scores', 'audit', 'model', 'rule-set'] as const;
export type Kind = (typeof KINDS)[number];

/** A leaf of the log. The leaf has hashes alone, so an erasure leaves nothing in the log. */
export type Leaf = { readonly text: string; readonly hash: Buffer };

const leafOf = (fields: object): Leaf => {
  const json = canonicalJson({ v: 1, ...fields });
  return { text: json, hash: leafHash(json) };
};

/** @param isBefore whether the row is older than the log, so the seal says only how the row was when it was sealed */
export function contentLeaf(
  kind: Kind,
  id: string,
  content: string,
  sealedAt: string,
  isBefore: boolean,
): Leaf {
  const hash = sha256(content).toString('hex');
  return leafOf({ kind, id, sha256: hash, sealed_at: sealedAt, ...before(isBefore) });
}

/** The leaf of a batch of scores: root and size of the tree of their hashes. */
export function setLeaf(root: Buffer, count: number, sealedAt: string, isBefore: boolean): Leaf {
  const hex = root.toString('hex');
  return leafOf({ kind: 'scores', count, root: hex, sealed_at: sealedAt, ...before(isBefore) });
}

const before = (isBefore: boolean) => (isBefore ? { before: true } : {});
