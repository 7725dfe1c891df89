/**
 * Goal: the figures of a report are those of their definitions, and counts a day, corridor and score give what a whole run with
 * other bands gives, also where rules force verdicts and models have bands. Method: random rows, counted by one rule set and then
 * by the same with other bands; the AUC over all pairs.
 */
import { expect, test } from 'vitest';
import { compileOwn } from '../../../../src/core/score/rules/compile-rule-set.ts';
import type { RuleSetData } from '../../../../src/core/score/rules/rule-set-data.ts';
import { atOnce } from '../../../../src/kit/process/pauses.ts';
import { createRandom } from '../../../../src/kit/random.ts';
import { createTally } from '../../../../src/rooms/backtest/count/bands.ts';
import {
  createFold,
  type Judged,
  type Row,
} from '../../../../src/rooms/backtest/count/fold-rows.ts';
import {
  aucOf,
  averagePrecisionOf,
  reportOf,
} from '../../../../src/rooms/backtest/count/report.ts';
import {
  type ByLabel,
  type Days,
  noCounts,
} from '../../../../src/rooms/backtest/count/report-schema.ts';
import { processorMsOf } from '../../../support/processor-time.ts';
import { makeVector } from '../../core/score/vector.ts';

const OWN = { review: 300, decline: 700 };
const sourceOf = (all: typeof OWN, corridors = {}): RuleSetData => ({
  version: 2,
  id: 'tried@1',
  feature_schema: 3,
  rules: [
    {
      ...{ id: 'a', sentence: 'A.', code: 'A', measure: 'count_1h', policy: true },
      bands: [
        { from: 1, weight: 0.01 },
        { from: 9, weight: 0.9 },
      ],
    },
    { id: 'b', sentence: 'B.', code: 'B', when: 'siblings > 7', verdict: 'review' },
    { id: 'c', sentence: 'C.', code: 'C', when: 'count_24h > 8', verdict: 'decline' },
    { id: 'd', sentence: 'D.', code: 'D', when: 'count_24h < 1', verdict: 'allow' },
  ],
  verdicts: { all, corridors },
});

function makeRows(count: number): readonly (readonly [Row, Judged])[] {
  const random = createRandom('bands');
  return Array.from({ length: count }, (_, at) => {
    const probability = random() ** 3;
    const bands = random() < 0.5 ? null : { reviewFrom: 0.2, declineFrom: 0.6 };
    const row: Row = {
      ...{
        id: `row-${at}`,
        createdAtMs: at * 3_600_000,
        corridor: random() < 0.5 ? 'US-EG' : 'US-MX',
      },
      ...{ currency: random() < 0.5 ? 'USD' : 'EGP', amount: '1.00', ruleInputs: null },
      vector: makeVector({
        count_1h: random() * 10,
        siblings: Math.floor(random() * 10),
        count_24h: Math.floor(random() * 10),
      }),
      label: random() < 0.2 ? 'fraud' : random() < 0.5 ? 'legitimate' : null,
    };
    return [row, random() < 0.5 ? null : { probability, bands }];
  });
}

function count(source: RuleSetData, rows: ReturnType<typeof makeRows>) {
  const ruleSet = compileOwn(source);
  const [counts, days]: [ReturnType<typeof noCounts>, Days] = [noCounts(), new Map()];
  const fold = createFold(counts, [() => ruleSet, () => ruleSet], days);
  for (const [row, judged] of rows) fold(row, [judged, judged]);
  return { days, report: reportOf(counts, ruleSet.rules, ['a', 'b']) };
}

const ROWS = makeRows(3000);
const { days, report } = count(sourceOf(OWN), ROWS);

test.each([
  [300, 700],
  [1, 1],
  [1000, 1000],
  [500, 500],
  [120, 640],
])('bands of %i and %i', (review, decline) => {
  const after = { review, decline };
  for (const corridor of ['US-EG', undefined]) {
    const isAsked = (name: string) => corridor === undefined || name === corridor;
    const tally = createTally(
      () => OWN,
      (name) => (isAsked(name) ? after : OWN),
    );
    for (const counts of days.values())
      atOnce(tally.addDay('2026-11-01', JSON.parse(JSON.stringify(counts))));
    const bands = tally.toJson();
    const all = corridor === undefined ? sourceOf(after) : sourceOf(OWN, { [corridor]: after });
    const { report: whole } = count(all, ROWS);
    expect(bands.before.confusion).toEqual(report.subject.confusion);
    expect(bands.after.confusion).toEqual(whole.subject.confusion);
    expect(bands.after.alerts_per_day).toBe(whole.subject.alerts_per_day);
    expect(bands.days).toHaveLength(whole.days);
  }
});

test('other bands of 20 million rows, in six corridors for 90 days, take less than 2 s of a processor', () => {
  const none: ByLabel = [0, 0, 0];
  const free = Object.fromEntries(
    Array.from({ length: 1001 }, (_, points) => [points, [30, 6, 1]]),
  );
  const corridor = { free, reviewed: {}, fixed: [none, none, none] };
  const names = ['US-EG', 'US-MX', 'US-PH', 'GB-IN', 'DE-TR', 'FR-MA'];
  const text = JSON.stringify(Object.fromEntries(names.map((name) => [name, corridor])));
  const tookMs = processorMsOf(() => {
    const tally = createTally(
      () => OWN,
      () => ({ review: 123, decline: 456 }),
    );
    for (let day = 0; day < 90; day++) atOnce(tally.addDay('2026-11-01', JSON.parse(text)));
    expect(tally.toJson().corridors).toHaveLength(names.length);
  });
  expect(tookMs).toBeLessThan(2000);
});

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

test('an amount in the currency of the payment needs no recorded rate, and another one does', () => {
  const dollars = compileOwn({
    ...{ version: 2, id: 'dollars@1', feature_schema: 3 },
    rules: [{ id: 'a', sentence: 'A.', code: 'A', when: 'amount < money(1, "USD")', weight: 0.6 }],
    verdicts: { all: { review: 500, decline: 800 } },
  });
  const rows = makeRows(200).map(([row]) => row);
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
  const rows = makeRows(800).map(([row]) => row);
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

test('the average precision is the mean, over frauds, of the precision at their points', () => {
  const random = createRandom('precision');
  const points = Array.from(
    { length: 30 },
    (): ByLabel => [9, Math.floor(random() * 6), Math.floor(random() * 3)],
  );
  const precisionAt = (at: number) => {
    const above = points.slice(at);
    const [caught, alarms] = ([2, 1] as const).map((label) =>
      above.reduce((sum, row) => sum + row[label], 0),
    ) as [number, number];
    return caught / (caught + alarms);
  };
  const ofFrauds = points.flatMap((row, at) => Array<number>(row[2]).fill(precisionAt(at)));
  const mean = ofFrauds.reduce((sum, value) => sum + value, 0) / ofFrauds.length;
  expect(averagePrecisionOf(points)).toBeCloseTo(mean, 12);
  expect(averagePrecisionOf([[3, 4, 0]])).toBeNull();
});
