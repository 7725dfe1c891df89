/** Goal: weeks rank payments by both scores as sorting them does. Method: made scores, and the same figures by sorting. */
import { expect, test } from 'vitest';
import {
  addRank,
  collectWeeks,
  type Judged,
  noRanks,
} from '../../../../../src/core/score/scorecard/weeks.ts';
import { createRandom } from '../../../../../src/kit/random.ts';

type Payment = Judged & { readonly margin: number; readonly isFraud: boolean };

/** Scores that stand apart by more than a bin, in another order for each seed. */
function payments(seed: string, count: number): Payment[] {
  const random = createRandom(seed);
  const ranks = Array.from({ length: count }, (_, rank) => ({ rank, at: random() }));
  return ranks
    .sort((one, other) => one.at - other.at)
    .map(({ rank }) => {
      const isFraud = random() < (rank / count) ** 2;
      const margin = -10 + (20 * rank) / count;
      const risk = random() * 0.9;
      const verdict = random() < 0.2 ? ('review' as const) : ('approve' as const);
      return { margin, risk, verdict, isFraud, scorecard: 1, model: null, byRules: null };
    });
}

function weeksOf(days: ReadonlyMap<number, readonly Payment[]>, before: number) {
  const weeks = collectWeeks(before);
  for (const [day, own] of days) {
    const ranks = noRanks();
    for (const payment of own) addRank(ranks, payment);
    weeks.add(day, ranks);
    for (const payment of own) if (payment.isFraud) weeks.addFraud(day, payment);
  }
  return weeks.end();
}

function precisionOf(sorted: readonly Payment[]): number {
  let [caught, sum] = [0, 0];
  for (const [nth, { isFraud }] of sorted.entries()) {
    if (!isFraud) continue;
    caught++;
    sum += caught / (nth + 1);
  }
  return sum / caught;
}

test('a week has what sorting its payments gives, and the same number of alerts', () => {
  const own = payments('a week', 300);
  const [week, ...others] = weeksOf(new Map([[93, own]]), 100);
  const frauds = own.filter(({ isFraud }) => isFraud);
  const alerts = own.filter(({ verdict }) => verdict === 'review');
  const sorted = own.toSorted((one, other) => other.margin - one.margin);
  expect(others).toEqual([]);
  expect(week).toMatchObject({ day: 93, payments: 300, frauds: frauds.length });
  expect(week?.alerts).toBe(alerts.length);
  expect(week?.decided.caught).toBe(frauds.filter(({ verdict }) => verdict === 'review').length);
  expect(week?.scorecard.caught).toBe(
    sorted.slice(0, alerts.length).filter(({ isFraud }) => isFraud).length,
  );
  expect(week?.scorecard.averagePrecision).toBeCloseTo(precisionOf(sorted), 12);
  expect(week?.decided.averagePrecision).toBeLessThan(precisionOf(sorted));
});

test('payments that tie are caught in part, and payments that no table judged take no part', () => {
  const tied = Array.from(
    { length: 10 },
    (_, nth): Payment => ({
      ...{ margin: 1, risk: 0.5, scorecard: 1, isFraud: nth < 4, model: null, byRules: null },
      verdict: nth === 9 ? 'decline' : 'approve',
    }),
  );
  const unjudged: Payment = { ...(tied[0] as Payment), scorecard: null, margin: 9 };
  const [week] = weeksOf(new Map([[50, [...tied, unjudged]]]), 51);
  expect(week).toEqual({
    ...{ day: 44, payments: 10, frauds: 4, alerts: 1 },
    decided: { averagePrecision: 0.4, caught: 0 },
    // A tenth of four frauds.
    scorecard: { averagePrecision: 0.4, caught: 0 },
    byRisk: 0,
    policies: new Map(),
  });
});

test('a policy has figures of its own payments, whose risks are those of the rules', () => {
  const POLICIES = ['scorecard-policy@3', 'scorecard-policy@4'];
  const models = [...POLICIES, 'forest@1', null];
  const own = payments('decided', 600).map((payment, nth): Payment => {
    const model = models[nth % models.length] ?? null;
    const byRules = model === null ? null : Math.round(1000 * payment.risk);
    return { ...payment, model, byRules };
  });
  const risk = 0.999;
  const asDecided = own.map((of) => (of.model === null ? of : { ...of, risk }));
  const [week] = weeksOf(new Map([[93, asDecided]]), 100);
  expect([...(week?.policies.keys() ?? [])].sort()).toEqual(POLICIES);
  const byRisks = own.map((of) => ({
    ...of,
    risk: of.model === 'forest@1' ? risk : (of.byRules ?? 1000 * of.risk) / 1000,
  }));
  const figuresOf = (some: Payment[]) => weeksOf(new Map([[93, some]]), 100)[0];
  const plain = byRisks.map((of) => ({ ...of, model: null }));
  expect(week).toEqual({ ...figuresOf(plain), policies: week?.policies });
  for (const name of POLICIES) {
    const mine = plain.filter((_, nth) => own[nth]?.model === name);
    const { day: _, policies: __, ...figures } = figuresOf(mine) ?? { day: 0, policies: 0 };
    expect(week?.policies.get(name)).toEqual(figures);
  }
});

test('as many payments with the greatest risks catch what sorting them says', () => {
  const all = payments('by risk', 300);
  const week = weeksOf(new Map([[93, all]]), 100)[0];
  const first = all.toSorted((one, other) => other.risk - one.risk).slice(0, week?.alerts);
  const caught = first.filter(({ isFraud }) => isFraud).length;
  expect(Math.abs((week?.byRisk ?? 0) - caught)).toBeLessThanOrEqual(1);
});

test('weeks end before the first day that is not matured, and the last eight are told', () => {
  const days = new Map(Array.from({ length: 80 }, (_, day) => [day, payments(`${day}`, 5)]));
  const weeks = weeksOf(days, 70);
  expect(weeks.map(({ day }) => day)).toEqual([14, 21, 28, 35, 42, 49, 56, 63]);
  expect(new Set(weeks.map((week) => week.payments))).toEqual(new Set([35]));
});

test('a week without frauds has no precision', () => {
  const honest = payments('honest', 20).map((payment) => ({ ...payment, isFraud: false }));
  expect(weeksOf(new Map([[1, honest]]), 7)[0]?.scorecard.averagePrecision).toBeNaN();
});
