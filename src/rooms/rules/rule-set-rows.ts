/** Rule sets as `/v1/rule-sets` answers them: that of the build, and those that people have made. */
import { canonicalJson } from '../../core/domain/metadata.ts';
import { shareOf } from '../../core/domain/outcome-share.ts';
import { holdingText, type Rollout } from '../../core/score/rollout/holding.ts';
import { holdingsIn } from '../../core/score/rollout/plan-rollout.ts';
import { BUILT_IN, currentRuleSet, findBuiltIn } from '../../core/score/rules/rule-sets.ts';
import { readStage } from '../../core/store/rollouts/decide-rollout.ts';
import { RULE_SETS, readRollouts } from '../../core/store/rollouts/rollouts.ts';
import { compileStored } from '../../core/store/rule-sets/rule-sets.ts';
import { listCorridors } from '../../core/store/transactions/transactions.ts';
import type { Database } from '../../kit/database/pool.ts';
import { Failure } from '../../kit/words/failure.ts';
import { type RuleSetJson, toRuleSetJson, toUncompiledJson } from './catalogue.ts';
import { findKnown, tagOf } from './rule-set-change.ts';
import type { DetailJson } from './rule-set-record.ts';
import { listFlips, listRows, type StoredRuleSet } from './store.ts';

/** Newest of those that people have made; each has up to 256 KiB. */
const LISTED_MAX = 50;

type Queries = Pick<Database, 'query'>;

/** Rule sets in force stand first, then those of people, the newest first, then those of the build. */
export async function listRuleSets(database: Queries): Promise<RuleSetJson[]> {
  const corridors = await listCorridors(database);
  const log = await readRollouts(RULE_SETS, database);
  const stored = await listRows(database.query, LISTED_MAX);
  const isLeft = corridors.some(
    (corridor) => ![...holdingsIn(log, corridor).values()].some(({ state }) => state === 'active'),
  );
  const ofBuild = BUILT_IN.map((ruleSet) => ({
    ...toRuleSetJson(ruleSet),
    ...OF_BUILD,
    in_force: isLeft && ruleSet === currentRuleSet,
  }));
  const all: RuleSetJson[] = [];
  for (const row of stored) all.push(await toRow(row, log, corridors));
  all.push(...ofBuild);
  return [...all.filter((row) => row.in_force), ...all.filter((row) => !row.in_force)];
}

const OF_BUILD: Pick<RuleSetJson, 'state' | 'author' | 'approved_by' | 'created_at' | 'corridors'> =
  { state: 'built-in', author: null, approved_by: null, created_at: null, corridors: [] };

async function toRow(
  row: StoredRuleSet,
  log: readonly Rollout[],
  known: readonly string[],
): Promise<RuleSetJson> {
  const corridors = known.flatMap((corridor) => {
    const holding = holdingsIn(log, corridor).get(row.ruleSet);
    return holding === undefined ? [] : { corridor, to: holdingText(holding) };
  });
  return {
    ...(await contentOf(row)),
    state: row.state,
    in_force: corridors.some(({ to }) => to !== 'deprecated' && to !== 'shadow'),
    author: row.author,
    approved_by: row.approved_by,
    created_at: row.created_at,
    corridors,
  };
}

/** A rule set that this build cannot compile leaves the others readable. */
async function contentOf(row: StoredRuleSet) {
  try {
    return toRuleSetJson(await compileStored(row));
  } catch (error) {
    if (error instanceof Failure) return toUncompiledJson(row, error.message);
    throw error;
  }
}

/** @throws Failure `not-found` */
export async function readRuleSet(database: Queries, name: string): Promise<DetailJson> {
  const data = findBuiltIn(name);
  if (data === undefined) return await toDetail(database, await findKnown(database.query, name));
  const [row] = (await listRuleSets(database)).filter(({ rule_set }) => rule_set === name);
  if (row === undefined) throw new Error(`${name} is of the build, and not listed`);
  // Members in the order of stored sources, so that files of both are compared by line.
  return {
    ...row,
    tag: `"0-${row.sha256.slice(0, 16)}"`,
    stage: null,
    rollouts: [],
    shadows: [],
    source: JSON.parse(canonicalJson(data)),
  };
}

export async function toDetail(database: Queries, row: StoredRuleSet): Promise<DetailJson> {
  const corridors = await listCorridors(database);
  const log = await readRollouts(RULE_SETS, database);
  const rollouts = log.filter(({ subject }) => subject === row.ruleSet).toReversed();
  return {
    ...(await toRow(row, log, corridors)),
    tag: tagOf(row),
    source: JSON.parse(row.source),
    stage: await readStage(database, log, row.ruleSet),
    rollouts: rollouts.map((rollout) => ({
      corridor: rollout.corridor,
      to: holdingText(rollout),
      cause: rollout.cause,
      proposed_by: rollout.proposed_by,
      approved_by: rollout.approved_by,
      reason: rollout.reason,
      created_at: rollout.created_at,
    })),
    shadows: (await listFlips(database.query, row.ruleSet)).map((flips) => ({
      ...flips,
      stricter_share: shareOf(flips.stricter, flips.scores),
      milder_share: shareOf(flips.milder, flips.scores),
    })),
  };
}
