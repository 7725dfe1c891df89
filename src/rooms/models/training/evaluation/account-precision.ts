/**
 * Precision of a team that looks at a fixed number of accounts a day (card precision @ k of the fraud detection
 * literature).
 */
import type { Scored } from './ranking.ts';

/** `accounts` and `days` are any numbers that tell accounts and days apart; one a row. */
type ScoredByDay = Scored & {
  readonly accounts: ArrayLike<number>;
  readonly days: ArrayLike<number>;
};

type AccountDay = { readonly account: number; score: number; fraud: boolean };

/**
 * Every day the accounts are ranked by their highest score and the first `accountsADay` are looked at;
 * the share of them with a fraud that day, as the mean over the days. An account that was found is not
 * looked at on later days. Equal scores: the lower account number first.
 */
export function accountPrecision(scored: ScoredByDay, accountsADay: number): number {
  const found = new Set<number>();
  const days = byDay(scored);
  let sum = 0;
  for (const accounts of days) {
    const ranked = accounts
      .filter(({ account }) => !found.has(account))
      .sort((a, b) => b.score - a.score || a.account - b.account)
      .slice(0, accountsADay);
    const hits = ranked.filter(({ fraud }) => fraud);
    for (const { account } of hits) found.add(account);
    sum += hits.length / accountsADay;
  }
  return sum / days.length;
}

/** Each day's accounts with their highest score; days in rising order. */
function byDay({ scores, labels, accounts, days }: ScoredByDay): AccountDay[][] {
  const found = new Map<number, Map<number, AccountDay>>();
  for (let row = 0; row < scores.length; row++) {
    const day = days[row] ?? 0;
    const account = accounts[row] ?? 0;
    const ofDay = found.get(day) ?? new Map<number, AccountDay>();
    found.set(day, ofDay);
    const known = ofDay.get(account) ?? { account, score: Number.NEGATIVE_INFINITY, fraud: false };
    known.score = Math.max(known.score, scores[row] ?? Number.NEGATIVE_INFINITY);
    known.fraud ||= labels[row] === 1;
    ofDay.set(account, known);
  }
  return [...found].sort(([a], [b]) => a - b).map(([, ofDay]) => [...ofDay.values()]);
}
