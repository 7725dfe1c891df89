/**
 * Seals waiting rows: one commit takes them and appends leaves. The commit that stores scores adds their ids and hashes to the
 * outbox, and ids of audit lines have the order of commits, so a late commit is never missed.
 */
import type { CompiledRuleSet } from '../../../core/score/rules/compile-rule-set.ts';
import { BUILT_IN } from '../../../core/score/rules/rule-sets.ts';
import type { Database, Query } from '../../../kit/database/pool.ts';
import { Failure } from '../../../kit/words/failure.ts';
import {
  auditContent,
  type ContentKind,
  contentLeaf,
  gapLeaf,
  hashedRows,
  ID_BYTES,
  modelContent,
  type NewSet,
  ruleSetContent,
  setsOf,
} from '../log/contents.ts';
import {
  append,
  type Edge,
  EMPTY_EDGE,
  edgeRoot,
  edgeTiles,
  HASH_BYTES,
  hashesOf,
} from '../log/tree.ts';
import {
  appendToLog,
  findEntry,
  type LogRow,
  lockLog,
  type NewEntry,
  tileReader,
  touchLog,
} from '../store/evidence-log.ts';
import {
  readAuditAfter,
  readScoreTexts,
  readUnsealedModels,
  readUnsealedRuleSets,
  takeUnsealed,
} from '../store/unsealed.ts';

/** Bounds of a step, as those of scores. */
const STEP_LINES = 500;
const VERSIONS_MAX = 10_000;
/** Code of a log whose tiles have another root than its row: somebody changed tiles or row. */
export const TILES_DIFFER = 'EVIDENCE_TILES';

export type Sealed = {
  readonly log: LogRow;
  readonly edge: Edge;
  readonly scores: number;
  /** Scores of the outbox without a hash and a row: their month is detached, or somebody deleted them. */
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
    const found = await findUnsealed(query, log, nowMs);
    const { sets, lines, auditId } = found;
    if (sets.length + lines.length === 0) {
      await touchLog(query, log.logId);
      return { log, edge, ...found };
    }
    const hashes = [...sets, ...lines].map(({ leaf }) => leaf.hash);
    const appended = append(edge, hashes);
    const root = await edgeRoot(appended.edge);
    const moved = { size: appended.edge.size, root, auditId };
    const isOurs = await appendToLog(query, log, moved, found, appended.tiles);
    if (!isOurs) throw new Failure('transient', 'EVIDENCE_MOVED', 'the log grew under its lock');
    const { size } = appended.edge;
    return { log: { ...log, size, root, auditId }, edge: appended.edge, ...found };
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
};

async function findUnsealed(query: Query, log: LogRow, nowMs: number): Promise<Found> {
  const sealedAt = new Date(nowMs).toISOString();
  const live = await findLive(query, sealedAt);
  const lines = await readAuditAfter(query, log.auditId, STEP_LINES);
  const audit = lines.map((line) => entryOf('audit', line.audit_id, auditContent(line), sealedAt));
  // The commit that registers a model or approves a rule set writes an audit line, so a step without lines has neither.
  const isChanged = lines.length > 0 || log.size === 0;
  const versions = isChanged ? await findVersions(query, log, sealedAt) : [];
  return {
    ...live,
    lines: [...gapOf(log, sealedAt), ...audit, ...versions],
    auditId: lines.at(-1)?.audit_id ?? log.auditId,
    mayHaveMore: live.mayHaveMore || lines.length === STEP_LINES,
  };
}

/** The leaf that says for how long nobody sealed, so that scores have no leaf. */
function gapOf({ gapFrom }: LogRow, sealedAt: string): NewEntry[] {
  if (gapFrom === null) return [];
  const from = gapFrom.toISOString();
  return [{ kind: 'gap', subject: from, leaf: gapLeaf(from, sealedAt) }];
}

/** Seals scores of the outbox; a score without a hash is read. */
async function findLive(query: Query, sealedAt: string) {
  const { hashed, bare, mayHaveMore } = await takeUnsealed(query);
  const rows = await readScoreTexts(query, bare);
  const found = [...hashed, ...hashedRows(rows)];
  const scores = found.reduce((sum, { ids }) => sum + ids.length / ID_BYTES, 0);
  return { sets: setsOf(found, sealedAt), scores, missing: bare.length - rows.length, mayHaveMore };
}

function entryOf(kind: ContentKind, id: string, content: string, sealedAt: string): NewEntry {
  return { kind, subject: id, leaf: contentLeaf(kind, id, content, sealedAt) };
}

/** Models and rule sets that the log lacks; a new log begins with the rule sets of the build. */
async function findVersions(query: Query, log: LogRow, sealedAt: string): Promise<NewEntry[]> {
  const [models, approved] = [
    await readUnsealedModels(query, log.logId, VERSIONS_MAX),
    await readUnsealedRuleSets(query, log.logId, VERSIONS_MAX),
  ];
  const ofBuild: NewEntry[] = [];
  for (const ruleSet of BUILT_IN) {
    if ((await findEntry(query, log.logId, 'rule-set', ruleSet.id)) !== undefined) continue;
    ofBuild.push(entryOf('rule-set', ruleSet.id, contentOfBuild(ruleSet), sealedAt));
  }
  return [
    ...ofBuild,
    ...models.map((model) => entryOf('model', model.model, modelContent(model), sealedAt)),
    ...approved.map((approval) =>
      entryOf('rule-set', approval.ruleSet, ruleSetContent(approval), sealedAt),
    ),
  ];
}

/** A rule set of the build has no row, and no author. */
function contentOfBuild({ id: ruleSet, sha256 }: CompiledRuleSet): string {
  return ruleSetContent({ ruleSet, sha256, author: null, approvedBy: null, approvedAt: null });
}

/** Undefined for a rule set that is not of the build. */
export function ownRuleSetContent(id: string): string | undefined {
  const ruleSet = BUILT_IN.find((known) => known.id === id);
  return ruleSet && contentOfBuild(ruleSet);
}
