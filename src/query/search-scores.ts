/** `GET /v1/scores?…`: stored scores, newest transaction first. */
import type { ScoreListParameters } from '../domain/list-parameters.ts';
import { type ScoreJson, toScoreJson } from '../domain/score-record.ts';
import { listWalkedMonths } from '../store/partitions/month-slice.ts';
import { searchStoredScores } from '../store/scores/score-search.ts';
import { type Databases, readFrom } from './choose-database.ts';
import { detachedWithin, type PageJson, toPageJson } from './page.ts';
import { walkMonths } from './walk-months.ts';

export async function searchScores(
  databases: Databases,
  parameters: ScoreListParameters,
): Promise<PageJson<ScoreJson>> {
  const filter = {
    accountId: parameters.account_id,
    merchantId: parameters.merchant_id,
    corridor: parameters.corridor,
    verdict: parameters.verdict,
    minScore: parameters.min_score,
    reason: parameters.reason,
  };
  const { months, detached } = await listWalkedMonths(databases.primary, 'scores');
  const page = await walkMonths({
    months,
    fromMs: parameters.from,
    toMs: parameters.to,
    cursor: parameters.cursor,
    limit: parameters.limit,
    readSlice: (slice) =>
      readFrom(databases, slice.upperMs, (database) => searchStoredScores(database, filter, slice)),
  });
  return toPageJson(page, toScoreJson, detachedWithin(detached, parameters));
}
