/** The riskiest few transactions, read with the request that the screen shows. */
import type { FoundScore } from '../../kit/client/api-types.ts';
import type { AskApi } from '../../kit/client/ask.ts';

const SHOWN = 5;
const QUERY = { sort: 'score', limit: SHOWN } as const;

/** The request that lists them. */
export const RISKIEST_PATH = `/v1/scores?sort=${QUERY.sort}&limit=${QUERY.limit}`;

/** Riskiest first; empty where nothing is scored. */
export async function readRiskiest(ask: AskApi): Promise<readonly FoundScore[]> {
  const { items } = await ask('GET /v1/scores', { query: QUERY });
  return items;
}
