/**
 * Goal: a table of the day is built by a command, and read over HTTP as the night has made it. Method: an API process, made days with
 * labels, and the command on the same stores.
 */
import { expect, test } from 'vitest';
import { currentRuleSet } from '../../../../src/core/score/rules/rule-sets.ts';
import { textOfDay } from '../../../../src/core/score/scorecard/day-table.ts';
import { insertTable } from '../../../../src/core/store/scorecards/scorecards.ts';
import { createRandom } from '../../../../src/kit/random.ts';
import { DAY_MS } from '../../../../src/kit/words/range.ts';
import { toLabelsJson, toRulesJson } from '../../../../src/rooms/models/scorecards/answers.ts';
import { dayTable, newTable } from '../../../support/day-tables.ts';
import { makeDay, makeDays, storeKnown, storeLabelled } from '../../../support/made-days.ts';
import { openForFile } from '../../../support/open-for-file.ts';
import { randomTable } from '../../../support/random-tables.ts';
import { makeOfficer } from '../../../support/rooms/rules/officers.ts';
import { runRisk } from '../../../support/run-risk.ts';
import { startRunningApi } from '../../../support/running-api.ts';
import { send } from '../../../support/submit.ts';

const FIRST = 20_600;
const DAY = '2026-06-27';

const api = await openForFile(startRunningApi());
const made = makeDays(FIRST, Date.parse(DAY) / DAY_MS - FIRST, 100);
await storeLabelled(api.database, made);

const risk = (...args: string[]) =>
  runRisk(['scorecard', ...args], {
    DATABASE_URL: api.testDatabase.url,
    RISK_MARKET: api.testDatabase.market,
  });
const build = (...args: string[]) => risk('build', ...args);
const get = async (path: string) => await send(api, 'GET', path);

test('a table is built once, and no table of a day before all payments or after today', async () => {
  const built = await build('--day', DAY, '--json');
  expect(JSON.parse(built.stdout)).toMatchObject({ day: DAY, payments: 3100 });
  const again = await build('--day', DAY);
  expect([again.code, again.stderr]).toEqual([1, expect.stringContaining(`${DAY} has a table`)]);
  const tomorrow = textOfDay(Math.floor(Date.now() / DAY_MS) + 1);
  for (const never of ['1999-12-31', '2999-01-01', tomorrow]) {
    const { code, stderr } = await build('--day', never);
    expect([code, stderr]).toEqual([2, expect.stringContaining('must be 2000-01-01 to ')]);
  }
  const check = () => risk('check', DAY, '--json');
  const same = await check();
  const { payments, apart, frauds, frauds_now: now } = JSON.parse(same.stdout);
  expect([same.code, payments, apart, now]).toEqual([0, 2800, 0, frauds]);
  await storeKnown(
    api.database,
    made.map((of) => ({ ...of, isFraud: false })),
    4,
  );
  const moved = await check();
  expect([moved.code, JSON.parse(moved.stdout)]).toMatchObject([1, { frauds, frauds_now: 0 }]);
  await api.testDatabase.sql(
    `delete from labels where labelled_at - created_at = interval '4 days'`,
  );
  const early = await build('--day', textOfDay(FIRST));
  expect([early.code, early.stderr]).toEqual([1, expect.stringContaining('no payment of the 180')]);
});

test('a table is listed, and shown with the points of its measures', async () => {
  const { body: listed } = await get('/v1/scorecards');
  expect(listed).toMatchObject({ items: [{ day: DAY, payments: 3100 }], next_cursor: null });
  const { body: shown } = await get(`/v1/scorecards/${DAY}`);
  expect(shown).toMatchObject({ ...listed.items[0], rule_set: 'default@4', group: 'type' });
  const measure = shown.measures.find(
    (of: { measure: string }) => of.measure === 'amount_to_median',
  );
  expect(measure.cuts).toHaveLength(31);
  expect([measure.points, measure.payments, measure.frauds].map(({ length }) => length)).toEqual([
    ...[34, 34, 34],
  ]);
  const sum = (numbers: readonly number[]) => numbers.reduce((all, own) => all + own, 0);
  expect(sum(measure.frauds)).toBe(shown.frauds);
  expect(measure.points[31]).toBeGreaterThan(measure.points[0]);
  expect(shown.lifts.type.values.cashout).toBeGreaterThan(0);
});

test('a day without a table, and a text that is no day, are refused', async () => {
  expect((await get('/v1/scorecards/2026-06-28')).body).toMatchObject({
    ...{ status: 404, detail: '2026-06-28 has no table of its own.' },
  });
  for (const path of ['/v1/scorecards/x', '/v1/scorecards?cursor=x']) {
    expect((await get(path)).body).toMatchObject({
      ...{ status: 422, errors: [{ detail: expect.stringContaining('must be a day') }] },
    });
  }
});

test('the group is a declared text that is not personal, and counts from the next table on', async () => {
  const ann = await makeOfficer(api.testDatabase, 'Ann');
  const name = (group: string) =>
    send(api, 'PUT', '/v1/scorecard-group', { group, reason: 'amounts differ' }, ann.key);
  const declare = (field: string, type: string) =>
    send(api, 'PUT', `/v1/metadata-fields/${field}`, { type, description: 'what it is' }, ann.key);
  await declare('kind', 'text');
  await declare('size', 'number');
  const refused = await name('metadata.size');
  expect(refused.body.errors).toEqual([
    { pointer: '/group', detail: "must be one of type, metadata.kind, not 'metadata.size'" },
  ]);
  expect(await name('metadata.kind')).toMatchObject({ body: { group: 'metadata.kind' } });
  expect((await build('--day', '2026-06-29')).code).toBe(0);
  expect((await get(`/v1/scorecards/${DAY}`)).body.group).toBe('type');
  const { body: next } = await get('/v1/scorecards/2026-06-29');
  expect(next.group).toBe('metadata.kind');
  const { body: log } = await send(
    api,
    'GET',
    '/v1/audit?action=scorecard.group',
    undefined,
    ann.key,
  );
  expect(log.items).toMatchObject([{ before: null, after: { group: 'metadata.kind' } }]);
});

test('a table says what became of the hits of rules, and how soon labels came', async () => {
  const { body: shown } = await get(`/v1/scorecards/${DAY}`);
  const hit = shown.rules.filter(({ payments }: { payments: number }) => payments > 0);
  const [rule] = hit;
  expect([
    hit.length < shown.rules.length,
    shown.rules.map(({ code }: { code: string }) => code),
  ]).toEqual([true, currentRuleSet.rules.map(({ code }) => code).sort()]);
  const quiet = { payments: 1000, frauds: 0 };
  const rules = new Map([
    ['NEW_DEVICE', quiet],
    ['NEW_COUNTRY', { payments: 999, frauds: 0 }],
    ['STRUCTURING', { payments: 2000, frauds: 1 }],
  ]);
  const known = toRulesJson('default@3', { rules, all: { payments: 9900, frauds: 99 } });
  expect(known.filter(({ rests }) => rests)).toMatchObject([{ code: 'NEW_DEVICE', ...quiet }]);
  const [counted] = await api.database.query<{ payments: number; frauds: number }>(
    {
      text: `select sum(case when l.label = 'fraud' then 1 else 1 / r.share end)::float8 as payments,
                    count(*) filter (where l.label = 'fraud')::float8 as frauds
               from market.scorecard_rows r left join market.labels l using (transaction_id)
              where $1 = any (r.fired) and r.created_at < '2026-06-19'`,
    },
    [rule.code],
  );
  expect(counted?.frauds).toBe(rule.frauds);
  expect(counted?.payments).toBeCloseTo(rule.payments, 6);
  const come = toLabelsJson(Float64Array.of(10, 5, 70, 10, 4, 1));
  expect(come.labels.map(({ share }) => share)).toEqual([0.1, 0.15, 0.85, 0.95, 0.99]);
  expect(come.label_maturity_days_proposed).toBe(14);
  expect(toLabelsJson(Float64Array.of(49)).label_maturity_days_proposed).toBeNull();
  const { labels } = shown;
  expect(labels.map(({ within_days: days }: { within_days: number }) => days)).toEqual(
    labels.length === 0 ? [] : [1, 3, 7, 14, 30],
  );
});

test('matured weeks that a table judged stand beside what decided', async () => {
  const [first] = await api.testDatabase.sql<{ serial: number }>(
    `select serial from scorecards where day = '${DAY}'`,
  );
  const from = Date.parse(DAY) / DAY_MS;
  for (let day = from; day < from + 16; day++) {
    const made = makeDay(day, 100, `judged ${day}`);
    await storeLabelled(api.database, made, first?.serial);
  }
  // Two weeks are matured, and the days behind them are not.
  expect((await build('--day', '2026-07-19')).code).toBe(0);
  const { body: shown } = await get('/v1/scorecards/2026-07-19');
  const counted = await api.testDatabase.sql(
    `select (date '${DAY}' + 7 * week)::text as from, count(*)::int as payments,
            count(*) filter (where is_fraud)::int as frauds,
            count(*) filter (where verdict = 'review')::int as alerts,
            count(*) filter (where verdict = 'review' and is_fraud)::int as caught
       from (select verdict, l.label = 'fraud' as is_fraud,
                    (s.created_at at time zone 'UTC')::date - date '${DAY}' as day
               from scores s join labels l using (transaction_id) where scorecard is not null) judged
      cross join lateral (select day / 7 as week) of
      where week < 2 group by week order by week`,
  );
  const toCounted = ({ decided, scorecard: _, ...week }: (typeof shown.weeks)[number]) => ({
    ...week,
    caught: decided.caught,
  });
  expect(shown.weeks.map(toCounted)).toEqual(counted);
  for (const { alerts, decided, scorecard } of shown.weeks) {
    expect(scorecard.average_precision).toBeGreaterThan(2 * decided.average_precision);
    expect(scorecard.caught).toBeGreaterThan(decided.caught);
    expect([decided, scorecard].map(({ caught, stopped }) => caught + stopped)).toEqual([
      ...[alerts, alerts],
    ]);
  }
});

test('a table says what each measure carries, and what it carried the night before', async () => {
  const { body: shown } = await get('/v1/scorecards/2026-07-19');
  const { body: before } = await get('/v1/scorecards/2026-06-29');
  expect(shown.before).toMatchObject({ day: '2026-06-29', sha256: before.sha256 });
  expect((await get(`/v1/scorecards/${DAY}`)).body.before).toBeNull();
  type Measure = { readonly measure: string; readonly carries: number };
  const carried = (measures: readonly Measure[]) =>
    new Map(measures.map(({ measure, carries }) => [measure, carries]));
  const was = carried(before.measures);
  for (const { measure, carried_before: known } of shown.measures) {
    expect(known).toBe(was.get(measure));
  }
  const sorted = shown.measures.toSorted(
    (one: Measure, other: Measure) => other.carries - one.carries,
  );
  expect(sorted[0]).toMatchObject({ measure: 'amount_to_median' });
  expect(sorted[0].meaning).toContain('mount divided by');
  const { points, frauds, carries } = sorted[0];
  const sum = points.reduce((all: number, own: number, nth: number) => all + own * frauds[nth], 0);
  expect(carries).toBeCloseTo(sum / shown.frauds, 9);
});

test('the command shows what the API answers, and the measures that carry most', async () => {
  const show = (...more: string[]) => api.risk('scorecard', 'show', '2026-07-19', ...more);
  const { body: shown } = await get('/v1/scorecards/2026-07-19');
  expect(JSON.parse((await show('--json')).stdout)).toEqual(shown);
  const { stdout } = await show();
  expect(stdout).toMatch(/^amount_to_median +\d\.\d/m);
  expect(stdout).toMatch(/^2026-07-04 .* \d+ -> \d+/m);
  const day = Date.parse('2026-07-21') / DAY_MS;
  await insertTable(api.database.query, newTable(dayTable({ day })));
  const unlearnt = await api.risk('scorecard', 'show', '2026-07-21');
  expect(unlearnt.stderr).toContain('it has no weights: its margins are those of the rules alone');
});

test('each cut is read as the float32 that it is, an infinite one too', async () => {
  const { table } = randomTable(createRandom('cuts'));
  const cuts = table.scorecard.cuts.subarray(0, 31);
  cuts.set([-1e39, 1e-45], 0);
  cuts.set([1e39], 30);
  const dated = { ...table, day: Date.parse('2026-07-20') / DAY_MS };
  await insertTable(api.database.query, newTable(dated));
  const { body } = await get('/v1/scorecards/2026-07-20');
  expect(body.measures[0].cuts).not.toContain(null);
  expect(Float32Array.from(body.measures[0].cuts)).toEqual(cuts);
});
