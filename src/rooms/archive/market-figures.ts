/** Figures of the other markets before and after a rollback: what they have, and whether scores compute to themselves. */
import { toScoreJson } from '../../core/domain/score-record.ts';
import { createdAtMsOf } from '../../core/domain/transaction.ts';
import type { OpenModels } from '../../core/score/judge.ts';
import { judgedVector } from '../../core/score/scorecard/judge-by-table.ts';
import { verifyScore } from '../../core/score/verify-score.ts';
import { findStoredRuleSet } from '../../core/store/rule-sets/rule-sets.ts';
import { createFindTable } from '../../core/store/scorecards/find-tables.ts';
import { readScoreRecord } from '../../core/store/scores/read-scores.ts';
import { MARKETS } from '../../kit/database/market-reach.ts';
import type { Database } from '../../kit/database/pool.ts';
import { onlyOf, rowsOf } from '../../kit/database/statement.ts';
import type { Figures } from './archive-file.ts';
import { sha256 } from './part-file.ts';

/** How many scores are computed again. Larger: a rollback takes longer. */
const SAMPLE_SCORES = 200;

export const listOthers = rowsOf<{ market: string }, [market: string]>(
  'list-other-markets',
  `select market::text from (${MARKETS}) as markets where market <> $1 order by market`,
);

const countRows = onlyOf<Pick<Figures, 'transactions' | 'scores' | 'dead_letters'>>(
  'count-rows-of-market',
  `select (select count(*) from market.transactions)::float8 as transactions,
          (select count(*) from market.scores)::float8 as scores,
          (select count(*) from market.dead_letters)::float8 as dead_letters`,
);

const newestScores = rowsOf<{ id: string }, [rowsMax: number]>(
  'list-newest-scores',
  'select transaction_id::text as id from market.scores order by transaction_id desc limit $1',
);

/** @param sample ids of scores; without them the newest ones */
export async function readFigures(
  database: Database,
  market: string,
  openModels: OpenModels,
  sample?: readonly string[],
): Promise<Figures> {
  const { query } = database;
  const ids = sample ?? (await newestScores(query, SAMPLE_SCORES)).map(({ id }) => id);
  const models = await openModels({ primary: database, replica: null, now: Date.now });
  const findTable = createFindTable(query);
  const texts: string[] = [];
  let different = 0;
  for (const id of ids) {
    const record = await readScoreRecord(database, id, createdAtMsOf(id) ?? 0);
    texts.push(JSON.stringify(record === undefined ? id : toScoreJson(record)));
    if (record === undefined) continue;
    const found = record.model === null ? undefined : await models.find(record.model);
    const judge = found !== undefined && 'model' in found ? found.model : undefined;
    const ruleSet = await findStoredRuleSet(database, record.ruleSet);
    const { scorecard, features, createdAtMs } = record;
    const table = scorecard === null ? null : await findTable(scorecard);
    const judged = judgedVector(features, table, createdAtMs);
    const opinion = record.model === null ? null : judge?.judge([judged])[0];
    if (verifyScore(record, ruleSet, opinion, table).length > 0) different++;
  }
  const counts = await countRows(query);
  return {
    market,
    ...counts,
    sample: [...ids],
    sample_sha256: sha256(texts.join('\n')),
    different,
  };
}

/** Losses that a rollback of another market must not cause: rows that are gone, or scores that changed. */
export function lossesOf(before: Figures, after: Figures): string[] {
  const losses: string[] = [];
  for (const name of ['transactions', 'scores'] as const) {
    if (after[name] < before[name]) {
      losses.push(`${before.market} has ${after[name]} ${name}, and had ${before[name]}`);
    }
  }
  if (after.sample_sha256 !== before.sample_sha256) losses.push(`${before.market}: scores changed`);
  if (after.different > before.different) {
    losses.push(`${before.market}: ${after.different} scores compute to another score`);
  }
  return losses;
}
