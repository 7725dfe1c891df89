/**
 * Contents and leaves: canonical JSON whose kind and version keep the hashes of different things apart. A sealed text never
 * changes, so a later column of a table takes a new version.
 */
import type { AuditEntry } from '../../../kit/words/audit.ts';
import { canonicalJson } from './canonical.ts';
import { reasonsText, type ScoreTexts } from './score-texts.ts';
import { HASH_BYTES, leafHash, sha256 } from './tree.ts';

const toNumber = (text: string | null) => (text === null ? null : Number(text));

/** The content of a score: the values of which `hashRows` makes its hash. The id has the transaction's time. */
export function scoreContent(row: ScoreTexts): string {
  return canonicalJson({
    kind: 'score',
    v: 2,
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
