/** The riskiest few transactions, read with the request that the screen shows. */
import type { ApiClient } from '../../client/api-client.ts';
import type { Score } from '../../client/api-types.ts';
import { type AskApi, createAsk } from '../../client/ask.ts';

export type Riskiest = {
  /** The least score among the riskiest: at least `scores.length` transactions reach it. */
  readonly minScore: number;
  /** Empty where nothing is scored; otherwise the answer to `GET /v1/scores?min_score=…&limit=…` with `minScore` and SHOWN, newest first. */
  readonly scores: readonly Score[];
};

export const SHOWN = 5;
/** Minimum scores in turn, until enough transactions reach one. */
const MIN_SCORES = [900, 750, 500, 250, 0];
const PAGE_ROWS = 200;
/** A page may end before it is full; its cursor is followed this often. */
const PAGES_MAX = 5;

export async function readRiskiest(client: ApiClient): Promise<Riskiest> {
  const ask = createAsk(client);
  let ranked: number[] = [];
  for (const minScore of MIN_SCORES) {
    const scores = await readScores(ask, minScore);
    ranked = scores.map(({ score }) => score).toSorted((one, other) => other - one);
    if (ranked.length >= SHOWN) break;
  }
  const minScore = ranked.slice(0, SHOWN).at(-1);
  if (minScore === undefined) return { minScore: 0, scores: [] };
  const query = { min_score: minScore, limit: SHOWN };
  const { items } = await ask('GET /v1/scores', { query });
  return { minScore, scores: items };
}

async function readScores(ask: AskApi, min_score: number): Promise<Score[]> {
  const scores: Score[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < PAGES_MAX; page++) {
    const query = { min_score, limit: PAGE_ROWS, cursor };
    const { items, next_cursor } = await ask('GET /v1/scores', { query });
    scores.push(...items);
    if (next_cursor === null) break;
    cursor = next_cursor;
  }
  return scores;
}
