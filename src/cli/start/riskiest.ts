/** The riskiest few transactions with their reasons, read over the API. */

import { type ApiClient, parseJson, refusal } from '../../client/api-client.ts';
import type { Reason } from '../../domain/score-record.ts';

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

type ScoreItem = {
  readonly transaction_id: string;
  readonly account_id: string;
  readonly score: number;
  readonly risk: number;
  readonly verdict: string;
  readonly reasons: readonly Reason[];
};

export async function readRiskiest(client: ApiClient): Promise<Risky[]> {
  for (const minScore of MIN_SCORES) {
    const items = await readScores(client, `/v1/scores?min_score=${minScore}&limit=${LIMIT}`);
    if (items.length === 0) continue;
    const ranked = items.toSorted((one, other) => other.risk - one.risk).slice(0, RANKED);
    const described = await Promise.all(ranked.map((item) => describe(client, item)));
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

async function readScores(client: ApiClient, path: string): Promise<ScoreItem[]> {
  const scores: ScoreItem[] = [];
  let cursor: unknown = null;
  for (let page = 0; page < PAGES_MAX; page++) {
    const next = typeof cursor === 'string' ? `&cursor=${encodeURIComponent(cursor)}` : '';
    const { items, next_cursor } = await read(client, path + next);
    if (Array.isArray(items)) scores.push(...items);
    cursor = next_cursor;
    if (typeof cursor !== 'string') break;
  }
  return scores;
}

async function describe(client: ApiClient, item: ScoreItem): Promise<Risky> {
  const transaction = await read(client, `/v1/transactions/${item.transaction_id}`);
  return {
    score: item.score,
    verdict: item.verdict,
    account: item.account_id,
    merchant: String(transaction['merchant_id']),
    amount: `${transaction['amount']} ${transaction['currency']}`,
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

async function read(client: ApiClient, path: string): Promise<Readonly<Record<string, unknown>>> {
  const answer = await client.send({ method: 'GET', path });
  if (answer.status !== 200) throw refusal(answer);
  return parseJson(answer.text);
}
