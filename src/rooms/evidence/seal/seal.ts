/**
 * Seals waiting rows: one commit takes them and appends leaves. The commit that stores scores adds their ids and hashes to the
 * intake, and ids of audit lines have the order of commits, so a late commit is never missed.
 */
import { firstIdOf } from '../../../core/domain/transaction-id.ts';
import { currentRuleSet } from '../../../core/score/rules/rule-sets.ts';
import type { Database, Query } from '../../../kit/database/pool.ts';
import type { AuditEntry } from '../../../kit/words/audit.ts';
import { Failure } from '../../../kit/words/failure.ts';
import { monthStartMs, parseMonth } from '../../../kit/words/month.ts';
import { auditContent, contentLeaf, modelContent, ruleSetContent } from '../log/contents.ts';
import { append, type Edge, EMPTY_EDGE, edgeRoot, edgeTiles } from '../log/edge.ts';
import {
  FIRST_ID,
  type HashedScores,
  hashedRows,
  ID_BYTES,
  idsOf,
  type NewSet,
  separate,
  setsOf,
} from '../log/sets.ts';
import { HASH_BYTES, hashesOf } from '../log/tree.ts';
import { walkAgain } from '../store/begin-log.ts';
import {
  appendToLog,
  findEntry,
  findSets,
  type LogRow,
  lockLog,
  type NewEntry,
  tileReader,
  touchLog,
} from '../store/evidence-log.ts';
import {
  MONTH_ATTACHED,
  readAuditAfter,
  readScoreTexts,
  readUnsealedModels,
  readUnsealedRuleSets,
  takeUnsealed,
  walkScores,
} from '../store/unsealed.ts';

/** Bounds of a step. Larger: a step blocks the worker for more than about 10 ms; smaller: more commits. */
const STEP_ROWS = 2048;
const STEP_SCORES = 32_768;
/** Scores that a step of the walk reads. */
const WALK_SCORES = 2048;
const STEP_LINES = 500;
const VERSIONS_MAX = 10_000;
/** Code of a log whose tiles have another root than its row: somebody changed tiles or row. */
export const TILES_DIFFER = 'EVIDENCE_TILES';
/** The walk goes so far beyond `beforeAt`, as the `created_at` of a score may be a day ahead. */
const AHEAD_MS = 2 * 86_400_000;

export type Sealed = {
  readonly log: LogRow;
  readonly edge: Edge;
  readonly scores: number;
  /** Scores of the intake without a hash and a row: their month is detached, or somebody deleted them. */
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
    const { sets, lines, auditId, walkedTo, hasNewMonth } = found;
    if (sets.length + lines.length === 0 && walkedTo === log.walkedTo) {
      await touchLog(query, log.logId);
      return { log, edge, ...found };
    }
    const hashes = [...sets, ...lines].map(({ leaf }) => leaf.hash);
    const appended = append(edge, hashes);
    const root = await edgeRoot(appended.edge);
    const moved = { size: appended.edge.size, root, auditId, walkedTo, hasNewMonth };
    const isOurs = await appendToLog(query, log, moved, found, appended.tiles);
    if (!isOurs) throw new Failure('transient', 'EVIDENCE_MOVED', 'the log grew under its lock');
    const { size } = appended.edge;
    return { log: { ...log, size, root, auditId, walkedTo }, edge: appended.edge, ...found };
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
  readonly sets: readonly NewSet[];
  readonly lines: readonly NewEntry[];
  readonly auditId: string;
  readonly walkedTo: string | null;
  readonly hasNewMonth: boolean;
};

async function findUnsealed(query: Query, log: LogRow, nowMs: number): Promise<Found> {
  const sealedAt = new Date(nowMs).toISOString();
  const live = await findLive(query, log, sealedAt);
  const walk = live.mayHaveMore
    ? { sets: [], walkedTo: log.walkedTo, scores: 0 }
    : await walkOn(query, log, sealedAt, live.sets);
  const lines = await readAuditAfter(query, log.auditId, STEP_LINES);
  const audit = lines.map((line) => {
    const isBefore = line.changedAt < log.begunAt;
    return entryOf('audit', line.auditId, auditContent(line), sealedAt, isBefore);
  });
  // The commit that registers a model or approves a rule set writes an audit line, so a step without lines has neither.
  const isChanged = lines.length > 0 || log.size === 0;
  const versions = isChanged ? await findVersions(query, log, sealedAt) : [];
  return {
    sets: [...live.sets, ...walk.sets],
    lines: [...audit, ...versions],
    auditId: lines.at(-1)?.auditId ?? log.auditId,
    ...walkedFrom(lines, walk.walkedTo),
    scores: live.scores + walk.scores,
    missing: live.missing,
    mayHaveMore: live.mayHaveMore || lines.length === STEP_LINES || walk.walkedTo !== log.walkedTo,
  };
}

/**
 * Where the walk goes on. It begins again with the first month that lines have as attached: the log may have begun, or sealed,
 * while the month was away.
 */
function walkedFrom(lines: readonly AuditEntry[], walkedTo: string | null) {
  const ids = lines.flatMap(({ action, subject }) => {
    const month = action === MONTH_ATTACHED ? parseMonth(subject) : undefined;
    return month === undefined ? [] : firstIdOf(monthStartMs(month));
  });
  const first = [...ids, ...(walkedTo === null ? [] : [walkedTo])].sort()[0];
  return { walkedTo: first ?? null, hasNewMonth: ids.length > 0 };
}

/** Seals scores of the intake; a score without a hash is read. */
async function findLive(query: Query, log: LogRow, sealedAt: string) {
  const { hashed, bare, mayHaveMore } = await takeUnsealed(query, STEP_ROWS, STEP_SCORES);
  const rows = await readScoreTexts(query, bare);
  const fresh = await leaveSealed(query, log, [...hashed, ...hashedRows(rows)]);
  const sets = setsOf(fresh, sealedAt, false);
  return { sets, scores: countOf(fresh), missing: bare.length - rows.length, mayHaveMore };
}

/**
 * Seals a page of the walk over scores that are older than the log.
 * @param live sets of the same step, which the log does not have yet
 */
async function walkOn(query: Query, log: LogRow, sealedAt: string, live: readonly NewSet[]) {
  const { walkedTo, beforeAt } = log;
  if (walkedTo === null) return { sets: [], walkedTo, scores: 0 };
  const rows = await walkScores(query, walkedTo, WALK_SCORES);
  const named = new Set(live.flatMap(({ ids }) => idsOf(ids)));
  const older = rows.filter(
    ({ transactionId, scoredAtMs }) => scoredAtMs < beforeAt.getTime() && !named.has(transactionId),
  );
  const fresh = await leaveSealed(query, log, hashedRows(older));
  const last = rows.at(-1);
  const isOver = rows.length < WALK_SCORES || isBeyond(last, beforeAt);
  return {
    sets: setsOf(fresh, sealedAt, true),
    walkedTo: isOver ? null : (last?.transactionId ?? null),
    scores: countOf(fresh),
  };
}

const countOf = (scores: readonly HashedScores[]) =>
  scores.reduce((sum, { ids }) => sum + ids.length / ID_BYTES, 0);

function isBeyond(row: { readonly transactionId: string } | undefined, beforeAt: Date): boolean {
  const ms = Number.parseInt((row?.transactionId ?? FIRST_ID).replace('-', '').slice(0, 12), 16);
  return ms > beforeAt.getTime() + AHEAD_MS;
}

/**
 * Leaves out scores that a set has already: a worker whose clock is behind may store a score that is older than the log before or
 * after the walk has passed its id.
 */
async function leaveSealed(
  query: Query,
  { logId, beforeAt }: LogRow,
  scores: readonly HashedScores[],
): Promise<readonly HashedScores[]> {
  const isOlder = ({ scoredAtMs }: HashedScores) => scoredAtMs < beforeAt.getTime();
  const older = scores.filter(isOlder);
  if (older.length === 0) return scores;
  const times = older.map(({ scoredAtMs }) => scoredAtMs);
  const ids = older.flatMap((one) => idsOf(one.ids)).sort();
  const range = { from: Math.min(...times), to: Math.max(...times) };
  const among = { from: ids[0] ?? FIRST_ID, to: ids.at(-1) ?? FIRST_ID };
  const sets = await findSets(query, logId, range, among);
  const sealed = new Set(sets.flatMap((set) => idsOf(set.ids ?? Buffer.alloc(0))));
  const isSealed = ({ ids: id }: HashedScores) => sealed.has(idsOf(id)[0] ?? '');
  return scores.flatMap((one) =>
    isOlder(one) ? separate(one).filter((score) => !isSealed(score)) : one,
  );
}

function entryOf(
  kind: NewEntry['kind'],
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
  const { id } = currentRuleSet;
  const isKnown = (await findEntry(query, log.logId, 'rule-set', id)) !== undefined;
  return [
    ...(isKnown ? [] : [entryOf('rule-set', id, contentOfBuild(), sealedAt)]),
    ...models.map((one) =>
      entryOf('model', one.model, modelContent(one), sealedAt, one.createdAt < log.begunAt),
    ),
    ...approved.map((one) => {
      const isBefore = one.approvedAt !== null && one.approvedAt < log.begunAt;
      return entryOf('rule-set', one.ruleSet, ruleSetContent(one), sealedAt, isBefore);
    }),
  ];
}

/** The build's rule set has no row, and no author. */
function contentOfBuild(): string {
  const { id: ruleSet, sha256 } = currentRuleSet;
  return ruleSetContent({ ruleSet, sha256, author: null, approvedBy: null, approvedAt: null });
}

/** Undefined for a rule set that is not of the build. */
export const ownRuleSetContent = (id: string) =>
  id === currentRuleSet.id ? contentOfBuild() : undefined;
