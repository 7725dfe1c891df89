/** Recomputes stored scores from the vector, rule set and model stored with them, and counts those that differ in a bit. */
import type { Models } from '../../../core/score/judge.ts';
import type { Opinion } from '../../../core/score/opinion.ts';
import type { CompiledRuleSet } from '../../../core/score/rules/compile-rule-set.ts';
import { judgedVector } from '../../../core/score/scorecard/judge-by-table.ts';
import { verifyScore } from '../../../core/score/verify-score.ts';
import { findStoredRuleSet } from '../../../core/store/rule-sets/rule-sets.ts';
import { createFindTable, findTables } from '../../../core/store/scorecards/find-tables.ts';
import type { Database } from '../../../kit/database/pool.ts';
import { type SampledScore, sampleScores } from '../store/score-sample.ts';

/** Differing scores that are listed; all are counted. */
const SHOWN_MAX = 10;

export async function verifyScores(
  database: Database,
  models: Models,
  sample: number,
  signal: AbortSignal,
) {
  const findTable = createFindTable(database.query);
  let verified = 0;
  let different = 0;
  const differing: { transaction_id: string; created_at: string; fields: string[] }[] = [];
  const problems = new Map<string, string>();
  const onPage = async (scores: readonly SampledScore[]) => {
    const ruleSets = await findAll(database, scores);
    const tables = await findTables(findTable, scores);
    for (const [name, ofModel] of Map.groupBy(scores, ({ model }) => model)) {
      const opinions = await judge(models, problems, name, ofModel, tables);
      for (const [index, stored] of ofModel.entries()) {
        verified++;
        const table = tables.get(stored.scorecard);
        const fields = verifyScore(stored, ruleSets.get(stored.ruleSet), opinions[index], table);
        if (!stored.isVectorIntact) fields.unshift('features');
        if (fields.length === 0) continue;
        different++;
        const created_at = new Date(stored.createdAtMs).toISOString();
        const shown = { transaction_id: stored.transactionId, created_at, fields };
        if (differing.length < SHOWN_MAX) differing.push(shown);
      }
    }
  };
  const { available } = await sampleScores(database, { sample, signal, onPage });
  const unavailable = [...problems].map(([model, problem]) => ({ model, problem }));
  return { verified, different, available, differing, models: unavailable };
}

/** The rule sets that scores name, by name. */
async function findAll(database: Database, scores: readonly SampledScore[]) {
  const found = new Map<string, CompiledRuleSet | undefined>();
  for (const name of new Set(scores.map(({ ruleSet }) => ruleSet))) {
    found.set(name, await findStoredRuleSet(database, name));
  }
  return found;
}

/**
 * An opinion for each score: null where no model judged, undefined where the model cannot be loaded.
 * @param problems why models could not be loaded; these are not tried again for every page
 */
async function judge(
  models: Models,
  problems: Map<string, string>,
  name: string | null,
  scores: readonly SampledScore[],
  tables: Awaited<ReturnType<typeof findTables>>,
): Promise<(Opinion | null | undefined)[]> {
  if (name === null) return scores.map(() => null);
  if (problems.has(name)) return [];
  const found = await models.find(name);
  if ('model' in found) {
    return found.model.judge(
      scores.map(({ features, scorecard, createdAtMs }) =>
        judgedVector(features, tables.get(scorecard), createdAtMs),
      ),
    );
  }
  problems.set(name, found.problem);
  return [];
}
