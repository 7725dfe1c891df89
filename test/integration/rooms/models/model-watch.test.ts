/**
 * Goal: the watch finds what changed and nothing else, in features, scores and outcomes, from samples of
 * what Postgres has. Method: stored scores whose spread is known, labels that come and are revised.
 */
import { beforeEach, describe, expect, test } from 'vitest';
import { FEATURE_COUNT, featureIndex } from '../../../../src/core/domain/feature-schema.ts';
import { sampleVectors } from '../../../../src/core/store/scores/score-window.ts';
import { createRandom } from '../../../../src/kit/random.ts';
import { watchScores } from '../../../../src/rooms/models/queries/watch-scores.ts';
import { describeModel } from '../../../../src/rooms/models/registry/check-model.ts';
import { insertModel } from '../../../../src/rooms/models/store/models.ts';
import { describeValues } from '../../../../src/rooms/models/watch/write-reports.ts';
import { decides, type WatchReport } from '../../../../src/rooms/models/watch-report.ts';
import { openTestDatabase } from '../../../support/database.ts';
import { modelFile } from '../../../support/models-command.ts';
import { type ScoreSeed, storeLabels, storeScores } from '../../../support/scored-rows.ts';

const AT_MS = Date.parse('2026-11-20T10:00:00Z');
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const { signal } = new AbortController();

const { testDatabase, database } = await openTestDatabase({ connectionsMax: 2 });

beforeEach(() => testDatabase.sql('truncate scores, labels'));

/** Rows evenly over a time, each feature a number of its own that goes through 0 to 9. */
function traffic(
  fromMs: number,
  lengthMs: number,
  rows: number,
  more: (row: number, digits: number[]) => Partial<ScoreSeed> = () => ({}),
): ScoreSeed[] {
  return Array.from({ length: rows }, (_, row) => {
    const digits = [row % 10, Math.floor(row / 10) % 10, Math.floor(row / 100) % 10];
    const createdAtMs = fromMs + Math.floor((lengthMs * row) / rows);
    return { createdAtMs, risk: (row % 10) / 10, features: digits, ...more(row, digits) };
  });
}
const LAST_DAY = [AT_MS - DAY_MS, DAY_MS, 2000] as const;
async function watch(atMs = AT_MS): Promise<WatchReport[]> {
  return await watchScores(database, atMs, 7, signal);
}
const levels = (report: WatchReport | undefined) =>
  Object.fromEntries(
    [{ feature: 'score', ...(report?.score ?? { level: 'none' }) }, ...(report?.features ?? [])]
      .slice(0, 4)
      .map(({ feature, level }) => [feature, level]),
  );

test('drift of a model is against its training, and apart from what the rules decide', async () => {
  const digits = Float32Array.from({ length: 1000 }, (_, row) => row % 10);
  await registerModel('m@1', {
    features: [describeValues('amount', digits), describeValues('amount_log', digits)],
    probability: describeValues(
      'probability',
      digits.map((digit) => digit / 10),
    ),
  });
  const decided = traffic(...LAST_DAY, (row, [a = 0, b = 0]) => ({
    ...{ model: 'm@1', probability: (row % 10) / 10, features: [a / 2, b] },
  }));
  await storeScores(database, decided);
  await storeScores(database, traffic(...LAST_DAY));
  const [model, rules] = await watch();
  expect(model).toMatchObject({ model: 'm@1', compared_with: 'training', rows: 2000 });
  expect(levels(model)).toEqual({ score: 'fine', amount: 'alert', amount_log: 'fine' });
  expect(rules).toMatchObject({ model: 'rules', rows: 2000, level: 'unknown' });
});

async function registerModel(name: string, reference: object): Promise<void> {
  const artefact = Buffer.from(JSON.stringify(modelFile()));
  const manifest = { ...describeModel(artefact, name, createRandom('watch')), card: { reference } };
  await insertModel(database, {
    ...{ manifest, artefact, format: 'xgboost-json', goldenSource: 'import', createdBy: 'Ann' },
  });
}

test('a score that no table judged says nothing of the features that tables brought', async () => {
  const age = featureIndex('device_age_hours');
  const withAge = (row: number, digits: number[]) => ({
    margin: -(row % 10),
    features: Array.from({ length: FEATURE_COUNT }, (_, at) =>
      at === age ? row % 10 : (digits[0] ?? 0),
    ),
  });
  await storeScores(database, traffic(AT_MS - 5 * DAY_MS, DAY_MS, 2000));
  await storeScores(database, traffic(AT_MS - 2 * DAY_MS, DAY_MS, 2000, withAge));
  await storeScores(database, traffic(...LAST_DAY, withAge));
  const [rules, scorecard] = await watch();
  const found = rules?.features.find(({ feature }) => feature === 'device_age_hours');
  expect(found).toMatchObject({ level: 'fine', rows: 2000, reference_rows: 2000 });
  expect(rules?.features.find(({ feature }) => feature === 'amount')?.reference_rows).toBe(4000);
  expect(scorecard).toMatchObject({
    ...{ model: 'scorecard', rows: 2000, level: 'fine', features: [] },
    score: { level: 'fine', reference_rows: 2000 },
  });
});

test('the scorecard is watched beside what decides, as strict as what decides was', async () => {
  const matured = traffic(AT_MS - 12 * DAY_MS, DAY_MS, 100, (row) => ({
    ...{ verdict: row < 10 ? 'decline' : row < 30 ? 'review' : 'approve', margin: row / 10 - 8 },
  }));
  const ids = await storeScores(database, matured);
  await storeLabels(
    database,
    matured.map(({ createdAtMs }, at) => ({
      ...{ id: ids[at] ?? '', createdAtMs, labelledAtMs: AT_MS - 4 * DAY_MS },
      label: at >= 80 ? 'fraud' : 'legitimate',
    })),
  );
  const reports = await watch();
  expect(reports.map(({ model }) => model)).toEqual(['rules', 'scorecard']);
  expect(reports[1]?.outcomes).toMatchObject({
    ...{ rows: 100, frauds: 20 },
    review: { precision: { rows: 30, value: 20 / 30 }, recall: { value: 1 } },
    decline: { precision: { rows: 10, value: 1 }, recall: { value: 0.5 } },
  });
  expect(reports.filter(decides).map(({ model }) => model)).toEqual(['rules']);
});

describe('outcomes', () => {
  const MATURED_MS = AT_MS - 12 * DAY_MS;

  test('follow labels as they come, and as they are revised', async () => {
    const seeds = traffic(MATURED_MS, DAY_MS, 100, (row) => ({
      verdict: row < 10 ? 'decline' : row < 20 ? 'review' : 'approve',
    }));
    const ids = await storeScores(database, seeds);
    const label = async (from: number, to: number, what: 'fraud' | 'legitimate', atMs: number) =>
      await storeLabels(
        database,
        seeds.slice(from, to).map(({ createdAtMs }, at) => ({
          ...{ id: ids[from + at] ?? '', createdAtMs, label: what, labelledAtMs: atMs },
        })),
      );
    const outcomes = async (atMs = AT_MS) => (await watch(atMs))[0]?.outcomes;

    expect(await outcomes()).toMatchObject({ rows: 100, labelled: 0, seen: null });
    await label(0, 20, 'fraud', AT_MS - 4 * DAY_MS);
    await label(20, 100, 'legitimate', AT_MS - 4 * DAY_MS);
    expect(await outcomes()).toMatchObject({
      ...{ labelled: 100, frauds: 20 },
      review: { precision: { rows: 20, value: 1 }, recall: { rows: 20, value: 1 } },
      decline: { precision: { rows: 10, value: 1 }, recall: { rows: 20, value: 0.5 } },
    });

    await label(0, 5, 'legitimate', AT_MS - 2 * DAY_MS);
    await label(95, 100, 'fraud', AT_MS - 2 * DAY_MS);
    const revised = await outcomes();
    expect(revised).toMatchObject({
      ...{ labelled: 100, frauds: 20 },
      review: { precision: { rows: 20, value: 0.75 }, recall: { rows: 20, value: 0.75 } },
      decline: { precision: { rows: 10, value: 0.5 }, recall: { rows: 20, value: 0.25 } },
    });
    expect(revised?.label_delay_seconds?.p50).toBeGreaterThan(5 * 86_400);
    // The outcomes known a day before the revision are still known.
    expect(await outcomes(AT_MS - 3 * DAY_MS)).toMatchObject({
      review: { precision: { value: 1 } },
    });
  });
});

describe('a sample', () => {
  /** Half a minute with 1,000 rows a slice, another with 500: more than the 400 that are examined. */
  const MINUTE = `
    insert into scores (features_crc32, transaction_id, created_at, scored_at, account_id, corridor, score, risk, verdict,
                        reasons, features, feature_schema, rule_set, attempts, degradation)
    select 0, (lpad(to_hex(ms), 12, '0') || '7' || lpad(to_hex(n % 4096), 3, '0') || '8'
              || lpad(to_hex(n), 15, '0'))::uuid,
           to_timestamp(ms / 1000.0), to_timestamp(ms / 1000.0), 'a', 'US-EG', 0, 0, 'approve', '[]',
           decode(case half when 0 then '0100' else '01c0f03f' end, 'hex'), 3, 'default@3', 1, 0
      from (select n, n / 30000 as half, $1::bigint + n + greatest(0, n - 30000) as ms
              from generate_series(0, 44999) n) rows`;
  const SLICED_MS = 480_000;

  test('has what was wanted, in the proportions of the traffic', async () => {
    await storeScores(database, traffic(AT_MS, 1, 1));
    await testDatabase.sql('truncate scores');
    await testDatabase.sql(MINUTE, [AT_MS]);
    const window = { fromMs: AT_MS, toMs: AT_MS + SLICED_MS };
    const rows = await sampleVectors(database.query, window, 3000, signal);
    expect(rows).toHaveLength(3000);
    const early = rows.filter(({ vector }) => vector[0] === 0).length;
    expect(early).toBeGreaterThan(1950);
    expect(early).toBeLessThan(2050);
  });
});
