/** The riskiest few transactions with their reasons, read over the API. */
import type { ApiClient } from '../../client/api-client.ts';
import type { Reason, Score } from '../../client/api-types.ts';
import { type AskApi, createAsk } from '../../client/ask.ts';

export type Risky = {
  readonly score: number;
  readonly verdict: string;
  readonly account: string;
  readonly merchant: string;
  readonly amount: string;
  readonly why: string;
};

/** Minimum scores in turn, until some score reaches one. */
const MIN_SCORES = [900, 750, 500, 250, 1];
const LIMIT = 200;
/** A page may end before it is full; its cursor is followed this often. */
const PAGES_MAX = 5;
/**
 * A single fraud pattern can fill the top with its accounts or its merchant, so the shown ones are chosen from
 * this many, one for each party.
 */
const RANKED = 60;
const SHOWN = 5;
const FURTHER_REASONS_MAX = 3;

export async function readRiskiest(client: ApiClient): Promise<Risky[]> {
  const ask = createAsk(client);
  for (const minScore of MIN_SCORES) {
    const items = await readScores(ask, minScore);
    if (items.length === 0) continue;
    const ranked = items.toSorted((one, other) => other.risk - one.risk).slice(0, RANKED);
    const described = await Promise.all(ranked.map((item) => describe(ask, item)));
    return spread(described).slice(0, SHOWN);
  }
  return [];
}

/** The first transaction of each account and of each merchant. */
function spread(ranked: readonly Risky[]): Risky[] {
  const seen = new Set<string>();
  return ranked.filter(({ account, merchant }) => {
    const parties = [`account ${account}`, `merchant ${merchant}`];
    const isNew = parties.every((party) => !seen.has(party));
    for (const party of isNew ? parties : []) seen.add(party);
    return isNew;
  });
}

async function readScores(ask: AskApi, min_score: number): Promise<Score[]> {
  const scores: Score[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < PAGES_MAX; page++) {
    const query = { min_score, limit: LIMIT, cursor };
    const { items, next_cursor } = await ask('GET /v1/scores', { query });
    scores.push(...items);
    if (next_cursor === null) break;
    cursor = next_cursor;
  }
  return scores;
}

async function describe(ask: AskApi, item: Score): Promise<Risky> {
  const path = { id: item.transaction_id };
  const { merchant_id, amount, currency } = await ask('GET /v1/transactions/{id}', { path });
  return {
    score: item.score,
    verdict: item.verdict,
    account: item.account_id,
    merchant: merchant_id,
    amount: `${amount} ${currency}`,
    why: whyOf(item.reasons),
  };
}

/** The reason with the greatest contribution as its sentence, the next ones by name. */
function whyOf([first, ...others]: readonly Reason[]): string {
  if (first === undefined) return '';
  const names = others
    .slice(0, FURTHER_REASONS_MAX)
    .map(({ code }) => code.toLowerCase().replaceAll('_', ' '));
  return names.length === 0 ? first.detail : `${first.detail}; ${names.join(', ')}`;
}
