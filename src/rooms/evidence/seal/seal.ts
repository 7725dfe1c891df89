/**
 * Seals waiting rows: one commit takes their ids, hashes the rows and appends leaves. The commit that stores scores adds their ids
 * to the intake, and ids of audit lines have the order of commits, so a late commit is never missed.
 */
import { RULE_SETS } from '../../../core/score/rules/rule-sets.ts';
import type { Database, Query } from '../../../kit/database/pool.ts';
import { Failure } from '../../../kit/words/failure.ts';
import {
  auditContent,
  contentLeaf,
  type Kind,
  modelContent,
  ruleSetContent,
  type ScoreTexts,
  scoreContent,
  setLeaf,
} from '../log/contents.ts';
import { append, type Edge, EMPTY_EDGE, edgeRoot, edgeTiles } from '../log/edge.ts';
import { HASH_BYTES, hashesOf, putLeafHash, rootOf } from '../log/tree.ts';
import {
  appendToLog,
  findEntry,
  findSets,
  type LockedLog,
  type LogRow,
  lockLog,
  type NewEntry,
  tileReader,
  touchLog,
  walkAgain,
} from '../store/evidence-log.ts';
import {
  readAuditAfter,
  readScoreTexts,
  readUnsealedModels,
  readUnsealedRuleSets,
  takeUnsealed,
  walkScores,
} from '../store/unsealed.ts';

/** Scores of a leaf. More: the bundle of a score reads and hashes more; fewer: more rows and leaves. */
export const SET_SCORES_MAX = 1024;
/** Bounds of a step. Larger: hashing blocks the worker for more than about 10 ms; smaller: more commits. */
const STEP_ROWS = 500;
const STEP_SCORES = 2 * SET_SCORES_MAX;
const STEP_LINES = 500;
const VERSIONS_MAX = 10_000;
/** Code of a log whose tiles have another root than its row: somebody changed tiles or row. */
export const TILES_DIFFER = 'EVIDENCE_TILES';
export const FIRST_ID = '00000000-0000-0000-0000-000000000000';
/** The walk goes so far beyond `beforeAt`, as the `created_at` of a score may be a day ahead. */
const AHEAD_MS = 2 * 86_400_000;

export type Sealed = {
  readonly log: LogRow;
  readonly edge: Edge;
  readonly scores: number;
  /** Scores of the intake without a row: their month is detached, or somebody deleted them. */
  readonly missing: number;
  readonly mayHaveMore: boolean;
};

/** @param known the edge after the last step of this process; undefined: the step reads the edge */
export async function sealStep(
  database: Pick<Database, 'transaction'>,
  origin: string,
  known: Edge | undefined,
  nowMs: number,
): Promise<Sealed> {
  return await database.transaction(async (query) => {
    const log = await lockLog(query, origin);
    const edge = await edgeOf(query, log, known);
    if (log.hasLapsed) {
      await walkAgain(query, log.logId);
      return { log, edge, scores: 0, missing: 0, mayHaveMore: true };
    }
    const found = await findUnsealed(query, log, nowMs);
    if (found.entries.length === 0 && found.walkedTo === log.walkedTo) {
      await touchLog(query, log.logId);
      return { log, edge, ...found };
    }
    const hashes = found.entries.map(({ leaf }) => leaf.hash);
    const appended = append(edge, hashes);
    const root = await edgeRoot(appended.edge);
    const { auditId, walkedTo } = found;
    const moved = { size: appended.edge.size, root, auditId, walkedTo };
    const isOurs = await appendToLog(query, log, moved, found.entries, appended.tiles);
    if (!isOurs) throw new Failure('transient', 'EVIDENCE_MOVED', 'the log grew under its lock');
    return { log: { ...log, ...moved }, edge: appended.edge, ...found };
  });
}

/** @throws Failure TILES_DIFFER */
async function edgeOf(query: Query, log: LogRow, known: Edge | undefined): Promise<Edge> {
  if (known?.size === log.size && (await edgeRoot(known)).equals(log.root)) return known;
  const read = tileReader(query, log.logId);
  const levels: Buffer[][] = [];
  for (const { level, tile, width } of edgeTiles(log.size)) {
    const bytes = (await read(level, tile)).subarray(0, width * HASH_BYTES);
    levels[level] = hashesOf(bytes);
  }
  const edge = log.size === 0 ? EMPTY_EDGE : { size: log.size, levels: fill(levels) };
  const isWhole = await edgeRoot(edge).then(
    (root) => root.equals(log.root),
    () => false,
  );
  if (isWhole) return edge;
  const why = `the tiles of ${log.origin} do not have the root of its ${log.size} leaves`;
  throw new Failure('permanent', TILES_DIFFER, why);
}

const fill = (levels: Buffer[][]) => Array.from(levels, (level) => level ?? []);

type Found = Omit<Sealed, 'log' | 'edge'> & {
  readonly entries: readonly NewEntry[];
  readonly auditId: string;
  readonly walkedTo: string | null;
};

async function findUnsealed(query: Query, log: LockedLog, nowMs: number): Promise<Found> {
  const sealedAt = new Date(nowMs).toISOString();
  const live = await findLive(query, log, sealedAt);
  const isIdle = live.named < STEP_SCORES / 2;
  const walk = isIdle
    ? await walkOn(query, log, sealedAt)
    : { entries: [], walkedTo: log.walkedTo, scores: 0 };
  const lines = await readAuditAfter(query, log.auditId, STEP_LINES);
  const audit = lines.map((line) => {
    const isBefore = line.changedAt < log.begunAt;
    return entryOf('audit', line.auditId, auditContent(line), sealedAt, isBefore);
  });
  // The commit that registers a model or approves a rule set writes an audit line, so a step without lines has neither.
  const isChanged = lines.length > 0 || log.size === 0;
  const versions = isChanged ? await findVersions(query, log, sealedAt) : [];
  return {
    entries: [...live.entries, ...walk.entries, ...audit, ...versions],
    auditId: lines.at(-1)?.auditId ?? log.auditId,
    walkedTo: walk.walkedTo,
    scores: live.scores + walk.scores,
    missing: live.missing,
    mayHaveMore:
      live.named >= STEP_SCORES || lines.length === STEP_LINES || walk.walkedTo !== log.walkedTo,
  };
}

/** Seals scores of the intake. */
async function findLive(query: Query, log: LogRow, sealedAt: string) {
  const ids = await takeUnsealed(query, STEP_ROWS, STEP_SCORES);
  const rows = await readScoreTexts(query, ids);
  // A worker whose clock is behind may store such a score before or after the walk has passed its id.
  const older = rows.filter(({ scoredAtMs }) => scoredAtMs < log.beforeAt.getTime());
  const sealed = older.length === 0 ? NONE : await findSealed(query, log.logId, older);
  const fresh = rows.filter(({ transactionId }) => !sealed.has(transactionId));
  const entries = setsOf(fresh, sealedAt, false, (set) => {
    const times = set.map(({ scoredAtMs }) => scoredAtMs);
    return { scoredFromMs: Math.min(...times), scoredToMs: Math.max(...times) };
  });
  const missing = ids.length - rows.length;
  return { entries, scores: fresh.length, missing, named: ids.length };
}

const NONE: ReadonlySet<string> = new Set();

/** Seals a page of the walk over scores that are older than the log. */
async function walkOn(query: Query, log: LockedLog, sealedAt: string) {
  const { walkedTo, beforeAt, logId } = log;
  if (walkedTo === null || !log.isSettled) return { entries: [], walkedTo, scores: 0 };
  const rows = await walkScores(query, walkedTo, STEP_SCORES);
  const older = rows.filter(({ scoredAtMs }) => scoredAtMs < beforeAt.getTime());
  const sealed = older.length === 0 ? NONE : await findSealed(query, logId, older);
  const fresh = older.filter(({ transactionId }) => !sealed.has(transactionId));
  const last = rows.at(-1);
  const isOver = rows.length < STEP_SCORES || isBeyond(last, beforeAt);
  const entries = setsOf(fresh, sealedAt, true, rangeOfIds);
  return {
    entries,
    walkedTo: isOver ? null : (last?.transactionId ?? null),
    scores: fresh.length,
  };
}

function isBeyond(row: ScoreTexts | undefined, beforeAt: Date): boolean {
  const ms = Number.parseInt((row?.transactionId ?? FIRST_ID).replace('-', '').slice(0, 12), 16);
  return ms > beforeAt.getTime() + AHEAD_MS;
}

/** The ids of rows that a sealed batch has already. */
async function findSealed(
  query: Query,
  logId: number,
  rows: readonly ScoreTexts[],
): Promise<ReadonlySet<string>> {
  const times = rows.map(({ scoredAtMs }) => scoredAtMs);
  const ids = rows.map(({ transactionId }) => transactionId).sort();
  const range = { from: Math.min(...times), to: Math.max(...times) };
  const among = { from: ids[0] ?? FIRST_ID, to: ids.at(-1) ?? FIRST_ID };
  const sets = await findSets(query, logId, range, among);
  return new Set(sets.flatMap((set) => idsOf(set.ids ?? Buffer.alloc(0))));
}

const ID_BYTES = 16;

export function idsOf(bytes: Buffer): string[] {
  return Array.from({ length: bytes.length / ID_BYTES }, (_, index) => {
    const hex = bytes.toString('hex', index * ID_BYTES, (index + 1) * ID_BYTES);
    const parts = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20)];
    return [...parts, hex.slice(20)].join('-');
  });
}

const bytesOf = (ids: readonly string[]) => Buffer.from(ids.join('').replaceAll('-', ''), 'hex');

type Range = NonNullable<NewEntry['set']>['range'];

function setsOf(
  rows: readonly ScoreTexts[],
  sealedAt: string,
  isBefore: boolean,
  rangeOf: (set: readonly ScoreTexts[]) => Range,
): NewEntry[] {
  const sorted = rows.toSorted((one, other) => (one.transactionId < other.transactionId ? -1 : 1));
  const entries: NewEntry[] = [];
  for (let from = 0; from < sorted.length; from += SET_SCORES_MAX) {
    const set = sorted.slice(from, from + SET_SCORES_MAX);
    const hashes = Buffer.alloc(set.length * HASH_BYTES);
    for (const [nth, row] of set.entries()) putLeafHash(hashes, nth, scoreContent(row));
    const ids = bytesOf(set.map(({ transactionId }) => transactionId));
    const leaf = setLeaf(rootOf(hashes), set.length, sealedAt, isBefore);
    const sealed = { ids, hashes, range: rangeOf(set) };
    entries.push({ kind: 'scores', subject: null, leaf, set: sealed });
  }
  return entries;
}

const rangeOfIds = (set: readonly ScoreTexts[]): Range => ({
  idFrom: set[0]?.transactionId ?? FIRST_ID,
  idTo: set.at(-1)?.transactionId ?? FIRST_ID,
});

function entryOf(
  kind: Exclude<Kind, 'scores'>,
  id: string,
  content: string,
  sealedAt: string,
  isBefore = false,
): NewEntry {
  return { kind, subject: id, leaf: contentLeaf(kind, id, content, sealedAt, isBefore) };
}

/** Models and rule sets that the log lacks; a new log begins with the rule sets of the build. */
async function findVersions(query: Query, log: LogRow, sealedAt: string): Promise<NewEntry[]> {
  const [models, approved] = [
    await readUnsealedModels(query, log.logId, VERSIONS_MAX),
    await readUnsealedRuleSets(query, log.logId, VERSIONS_MAX),
  ];
  const own: NewEntry[] = [];
  for (const { id } of RULE_SETS) {
    const content = ownRuleSetContent(id);
    if (content === undefined || (await findEntry(query, log.logId, 'rule-set', id))) continue;
    own.push(entryOf('rule-set', id, content, sealedAt));
  }
  return [
    ...own,
    ...models.map((one) =>
      entryOf('model', one.model, modelContent(one), sealedAt, one.createdAt < log.begunAt),
    ),
    ...approved.map((one) => {
      const isBefore = one.approvedAt !== null && one.approvedAt < log.begunAt;
      return entryOf('rule-set', one.ruleSet, ruleSetContent(one), sealedAt, isBefore);
    }),
  ];
}

/** The content of a rule set of the build, which has no row; undefined where this build lacks the rule set. */
export function ownRuleSetContent(id: string): string | undefined {
  const found = RULE_SETS.find((ruleSet) => ruleSet.id === id);
  if (found === undefined) return undefined;
  const { sha256 } = found;
  return ruleSetContent({ ruleSet: id, sha256, author: null, approvedBy: null, approvedAt: null });
}
