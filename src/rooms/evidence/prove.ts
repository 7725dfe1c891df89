/** Makes bundles, which prove offline that the log sealed a score or a line of the audit log. */
import { createdAtMsOf } from '../../core/domain/transaction.ts';
import { baseName } from '../../core/score/rules/derived-rule-set.ts';
import { refuseDetached } from '../../core/store/partitions/partitions.ts';
import type { Database, Query } from '../../kit/database/pool.ts';
import { uuidsIn } from '../../kit/words/cursor.ts';
import { readHead, type TreeHead } from './log/checkpoint.ts';
import {
  auditContent,
  type Kind,
  modelContent,
  ruleSetContent,
  scoreContent,
} from './log/contents.ts';
import type { ScoreTexts } from './log/score-hash.ts';
import { inclusionPath, type ReadTile } from './log/tree.ts';
import { ownRuleSetContent } from './seal/seal.ts';
import {
  type EntryRow,
  findEntry,
  findSets,
  readNewestLog,
  tileReader,
} from './store/evidence-log.ts';
import {
  readAuditAfter,
  readModels,
  readRuleSets,
  readScoreTexts,
  readTableLine,
} from './store/unsealed.ts';

export const FORMAT = 'risk-evidence/2';

export type Proof = {
  readonly content: string;
  readonly set?: { readonly index: number; readonly hashes: string };
  readonly leaf: string;
  readonly index: number;
  readonly path: readonly string[];
};
export type Bundle = {
  readonly format: typeof FORMAT;
  readonly checkpoint: string;
  readonly proofs: readonly Proof[];
};

/** Why a bundle is missing: no row has the id, or no checkpoint covers the row yet. */
export type Unproven = 'unknown' | 'unsealed';

type Signed = { readonly logId: number; readonly note: string; readonly head: TreeHead };
type Log = Signed & { readonly query: Query; readonly read: ReadTile };

/** The newest log with its checkpoint; undefined where no checkpoint was signed. */
export async function readSigned({ query }: Pick<Database, 'query'>): Promise<Signed | undefined> {
  const row = await readNewestLog(query);
  const note = row?.checkpoint ?? undefined;
  const head = note === undefined ? undefined : readHead(note);
  return row && note !== undefined && head ? { logId: row.logId, note, head } : undefined;
}

async function openLog(database: Pick<Database, 'query'>): Promise<Log | undefined> {
  const { query } = database;
  const signed = await readSigned(database);
  return signed && { ...signed, query, read: tileReader(query, signed.logId) };
}

/** @throws Failure where the month of the transaction has no tables */
export async function proveScore(
  database: Pick<Database, 'query'>,
  id: string,
): Promise<Bundle | Unproven> {
  const createdAtMs = createdAtMsOf(id);
  if (createdAtMs === undefined) return 'unknown';
  const [score] = await readScoreTexts(database.query, [id]);
  if (score === undefined) {
    await refuseDetached(database, createdAtMs);
    return 'unknown';
  }
  const log = await openLog(database);
  const found = log && (await locate(log.query, log.logId, score));
  if (log === undefined || found === undefined) return 'unsealed';
  const { entry, index } = found;
  const proven = await proveAt(log, entry, scoreContent(score));
  if (proven === undefined) return 'unsealed';
  const hashes = base64(entry.hashes ?? Buffer.alloc(0));
  const first: Proof = { ...proven, set: { index, hashes } };
  const named = [
    await proveRuleSet(log, score.ruleSet),
    await proveModel(log, score.model),
    await proveTable(log, score.scorecard),
  ];
  return bundleOf(log, [first, ...named.filter((proof) => proof !== undefined)]);
}

export async function proveLine(
  database: Pick<Database, 'query'>,
  auditId: string,
): Promise<Bundle | Unproven> {
  const [line] = await readAuditAfter(database.query, String(BigInt(auditId) - 1n), 1);
  if (line?.audit_id !== auditId) return 'unknown';
  const log = await openLog(database);
  const proof = log && (await proofOf(log, 'audit', auditId, auditContent(line)));
  return log === undefined || proof === undefined ? 'unsealed' : bundleOf(log, [proof]);
}

/** @param from the beginning of the gap, as a check prints it */
export async function proveGap(
  database: Pick<Database, 'query'>,
  from: string,
): Promise<Bundle | Unproven> {
  const log = await openLog(database);
  const entry = log && (await findEntry(log.query, log.logId, 'gap', from));
  if (log === undefined || entry === undefined) return 'unknown';
  const proof = await proveAt(log, entry, entry.leaf);
  return proof === undefined ? 'unsealed' : bundleOf(log, [proof]);
}

const bundleOf = ({ note }: Log, proofs: readonly Proof[]): Bundle => ({
  format: FORMAT,
  checkpoint: note,
  proofs,
});

/** The set of a score, and its place there. */
export async function locate(
  query: Query,
  logId: number,
  { transactionId, scoredAtMs }: Pick<ScoreTexts, 'transactionId' | 'scoredAtMs'>,
): Promise<{ readonly entry: EntryRow; readonly index: number } | undefined> {
  for (const entry of await findSets(query, logId, scoredAtMs)) {
    const index = uuidsIn(entry.ids ?? Buffer.alloc(0)).indexOf(transactionId);
    if (index >= 0) return { entry, index };
  }
  return undefined;
}

async function proveRuleSet(log: Log, name: string): Promise<Proof | undefined> {
  const base = baseName(name) ?? name;
  const [stored] = await readRuleSets(log.query, [base]);
  const content = stored ? ruleSetContent(stored) : ownRuleSetContent(base);
  return content === undefined ? undefined : await proofOf(log, 'rule-set', base, content);
}

async function proveModel(log: Log, name: string | null): Promise<Proof | undefined> {
  const [stored] = name === null ? [] : await readModels(log.query, [name]);
  return stored && (await proofOf(log, 'model', stored.model, modelContent(stored)));
}

async function proveTable(log: Log, serial: string | null): Promise<Proof | undefined> {
  const [line] = serial === null ? [] : await readTableLine(log.query, serial);
  return line && (await proofOf(log, 'audit', line.audit_id, auditContent(line)));
}

async function proofOf(
  log: Log,
  kind: Kind,
  subject: string,
  content: string,
): Promise<Proof | undefined> {
  const entry = await findEntry(log.query, log.logId, kind, subject);
  return entry && (await proveAt(log, entry, content));
}

/** Undefined where the checkpoint is older than the leaf. */
async function proveAt(
  { head, read }: Log,
  { position, leaf }: EntryRow,
  content: string,
): Promise<Proof | undefined> {
  if (position >= head.size) return undefined;
  const path = await inclusionPath(read, position, head.size);
  return { content, leaf, index: position, path: path.map(base64) };
}

const base64 = (hash: Buffer) => hash.toString('base64');
