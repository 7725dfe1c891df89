/** Goal: the figures of a report are those of their definitions. Method: random rows; the AUC over all pairs. */
import { expect, test } from 'vitest';
import { compileOwn } from '../../../../src/core/score/rules/compile-rule-set.ts';
import { createRandom } from '../../../../src/kit/random.ts';
import { createFold, type Row } from '../../../../src/rooms/backtest/count/fold-rows.ts';
import { aucOf, reportOf } from '../../../../src/rooms/backtest/count/report.ts';
import { type ByLabel, noCounts } from '../../../../src/rooms/backtest/count/report-schema.ts';
import { makeVector } from '../../core/score/vector.ts';

const tried = compileOwn({
  version: 2,
  id: 'tried@1',
  feature_schema: 3,
  rules: [
    { id: 'a', sentence: 'A.', code: 'A', when: 'count_1h >= 4', weight: 0.5 },
    { id: 'b', sentence: 'B.', code: 'B', when: 'count_24h >= 4', weight: 0.6 },
    { id: 'c', sentence: 'C.', code: 'C', when: 'count_24h >= 9', verdict: 'decline' },
  ],
  verdicts: { all: { review: 500, decline: 800 } },
});

function makeRows(count: number): Row[] {
  const random = createRandom('rows');
  return Array.from({ length: count }, (_, at) => ({
    id: `row-${at}`,
    createdAtMs: at * 3_600_000,
    corridor: 'US-EG',
    currency: random() < 0.5 ? 'USD' : 'EGP',
    amount: (random() * 1000).toFixed(2),
    vector: makeVector({
      count_1h: Math.floor(random() * 8),
      count_24h: Math.floor(random() * 10),
    }),
    ruleInputs: null,
    label: random() < 0.1 ? 'fraud' : random() < 0.4 ? 'legitimate' : null,
  }));
}

test('an amount in the currency of the payment needs no recorded rate, and another one does', () => {
  const dollars = compileOwn({
    ...{ version: 2, id: 'dollars@1', feature_schema: 3 },
    rules: [{ id: 'a', sentence: 'A.', code: 'A', when: 'amount < money(1, "USD")', weight: 0.6 }],
    verdicts: { all: { review: 500, decline: 800 } },
  });
  const rows = makeRows(200);
  const counts = noCounts();
  const add = createFold(counts, [() => dollars, () => dollars]);
  for (const row of rows) add({ ...row, vector: makeVector({ amount: 0.5 }) }, [null, null]);
  const own = rows.filter(({ currency }) => currency === 'USD').length;
  expect(counts.rules['a']?.hits.reduce((sum, hits) => sum + hits)).toBe(own);
  expect(counts.missing).toEqual({ 'rate.USD': rows.length - own });
});

test('what a rule adds is what goes without it', () => {
  const without = (id: string) =>
    compileOwn({
      version: 2,
      id: 'tried@2',
      feature_schema: 3,
      rules: tried.rules.map(({ data }) => data).filter((rule) => rule.id !== id),
      verdicts: { all: { review: 500, decline: 800 } },
    });
  const rows = makeRows(800);
  for (const { id } of tried.rules) {
    const counts = noCounts();
    const add = createFold(counts, [() => tried, () => without(id)]);
    for (const row of rows) add(row, [null, null]);
    const { rules, flips, changes } = reportOf(counts, tried.rules, ['', '']);
    const approved = flips.filter(({ from }) => from === 'approve');
    const sum = (all: typeof flips) => all.reduce((total, flip) => total + flip.rows, 0);
    expect(rules.find((rule) => rule.id === id)?.without).toMatchObject({
      alerts: sum(approved),
      verdicts: sum(flips),
      frauds_caught: changes.frauds_newly_caught,
    });
  }
});

test('the AUC and its interval are those of all pairs', () => {
  const random = createRandom('auc');
  const points = Array.from(
    { length: 30 },
    (): ByLabel => [9, Math.floor(random() * 6), Math.floor(random() * 4)],
  );
  const spread = (label: 1 | 2) => points.flatMap((row, at) => Array<number>(row[label]).fill(at));
  const [legitimates, frauds] = [spread(1), spread(2)];
  const wins = (fraud: number, other: number) => (fraud > other ? 1 : fraud === other ? 0.5 : 0);
  const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  const ofFrauds = frauds.map((fraud) => mean(legitimates.map((other) => wins(fraud, other))));
  const ofOthers = legitimates.map((other) => mean(frauds.map((fraud) => wins(fraud, other))));
  const variance = (values: readonly number[]) =>
    values.reduce((sum, value) => sum + (value - mean(values)) ** 2, 0) / (values.length - 1);
  const error = Math.sqrt(
    variance(ofFrauds) / frauds.length + variance(ofOthers) / legitimates.length,
  );
  const auc = aucOf(points);
  expect(auc?.rows).toBe(frauds.length + legitimates.length);
  expect(auc?.value).toBeCloseTo(mean(ofFrauds), 12);
  expect(auc?.high).toBeCloseTo(mean(ofFrauds) + 1.959964 * error, 10);
  expect(aucOf(points.map(([, legitimate]) => [0, legitimate, 0]))).toBeNull();
});
