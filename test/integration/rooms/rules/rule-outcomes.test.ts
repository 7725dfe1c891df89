/**
 * Goal: hits of rules, and verdicts by label, are counted exactly, of the market and of one corridor. Method:
 * scores with reasons and labels of these days and of earlier ones; an API process answers.
 */
import { expect, test } from 'vitest';
import { currentRuleSet } from '../../../../src/core/score/rules/rule-sets.ts';
import { crossHits, sumOf } from '../../../../src/rooms/rules/cross-hits.ts';
import { type RuleOutcomesJson, readRuleOutcomes } from '../../../../src/rooms/rules/outcomes.ts';
import { openForFile } from '../../../support/open-for-file.ts';
import {
  always,
  makeApproved,
  makeOfficer,
  putInForce,
} from '../../../support/rooms/rules/officers.ts';
import { startRunningApi } from '../../../support/running-api.ts';
import { storeLabels } from '../../../support/scored-rows.ts';
import { storeTransactions } from '../../../support/stored-rows.ts';
import { answerOf } from '../../../support/submit.ts';

const DAY_MS = 86_400_000;
const [DEVICE, COUNTRY] = ['NEW_DEVICE', 'NEW_COUNTRY'];

const api = await openForFile(startRunningApi());
const yesterdayMs = Date.now() - DAY_MS;
const seeds = [
  { score: 900, reasons: [DEVICE, COUNTRY], label: 'fraud' },
  { score: 600, reasons: [DEVICE], label: 'legitimate' },
  { score: 600, reasons: [DEVICE], label: 'fraud' },
  { score: 100, reasons: [DEVICE], label: undefined },
  { score: 0, reasons: [], label: 'legitimate' },
  { score: 900, reasons: [DEVICE], label: 'legitimate', corridor: 'US-MX' },
  { score: 850, reasons: [COUNTRY], label: undefined, corridor: 'US-MX' },
] as const;
const ids = await storeTransactions(
  api.database,
  seeds.map((seed, at) => ({ ...seed, createdAtMs: yesterdayMs + at })),
);
await storeTransactions(api.database, [
  { createdAtMs: Date.now() - 20 * DAY_MS, score: 900, reasons: [COUNTRY] },
]);
const labels = ids.flatMap((id, at) => {
  const label = seeds[at]?.label;
  const createdAtMs = yesterdayMs + at;
  return label === undefined ? [] : [{ id, createdAtMs, label, labelledAtMs: createdAtMs + 1 }];
});
await storeLabels(api.database, labels);
// The newest label decides: the second was thought to be fraud before.
const second = { id: ids[1] ?? '', createdAtMs: yesterdayMs + 1 };
await storeLabels(api.database, [{ ...second, label: 'fraud', labelledAtMs: yesterdayMs + 1 }]);

const read = async (days: string) => {
  const { body } = await answerOf(await api.request(`/v1/rules/outcomes?days=${days}`));
  const outcomes = body as RuleOutcomesJson;
  return { ...outcomes, of: (code: string) => outcomes.rules.find((rule) => rule.code === code) };
};

test('hits of each rule, by verdict and label', async () => {
  const { of, ...week } = await read('7');
  expect(week).toMatchObject({ rule_set: currentRuleSet.id, corridor: null, scores: 7 });
  expect(week.counted_from).toBe(week.from);
  expect(week.outcomes).toEqual({
    approve: { fraud: 0, legitimate: 1, none: 1 },
    review: { fraud: 1, legitimate: 1, none: 0 },
    decline: { fraud: 1, legitimate: 1, none: 1 },
  });
  expect(week.rules.map(({ code }) => code)).toEqual(currentRuleSet.rules.map(({ code }) => code));
  expect(of(DEVICE)).toMatchObject({
    rule: 'new-device',
    hits: 5,
    outcomes: {
      approve: { fraud: 0, legitimate: 0, none: 1 },
      review: { fraud: 1, legitimate: 1, none: 0 },
      decline: { fraud: 1, legitimate: 1, none: 0 },
    },
    precision: { rows: 4, value: 1 / 2 },
  });
  expect(of(COUNTRY)).toMatchObject({ hits: 2, precision: { rows: 1, value: 1 } });
  expect(of('STRUCTURING')).toMatchObject({ hits: 0, precision: null });
});

test('beyond a number of scores the newest are counted, exactly, from a time on', async () => {
  const window = { corridor: undefined, firstMs: yesterdayMs - 7 * DAY_MS, nowMs: Date.now() };
  const whole = await crossHits(api.database, { ...window, scoresMax: 6 });
  expect([whole.fromMs, sumOf(whole.all, 'fraud')]).toEqual([window.firstMs, 2]);
  const newest = await crossHits(api.database, { ...window, scoresMax: 5 });
  expect(newest.fromMs).toBe(yesterdayMs + 1);
  expect([sumOf(newest.all, 'fraud'), sumOf(newest.all, 'legitimate')]).toEqual([1, 3]);
  const corridor = 'US-MX';
  const ofCorridor = await crossHits(api.database, { ...window, corridor, scoresMax: 1 });
  expect(ofCorridor.fromMs).toBe(yesterdayMs + 6);
});

test('the command prints the rules that declined good customers first', async () => {
  const found = (await api.riskJson(
    'rules',
    'outcomes',
    '--corridor',
    'US-MX',
  )) as RuleOutcomesJson;
  expect(found).toMatchObject({ corridor: 'US-MX', scores: 2 });
  const { stdout } = await api.risk('rules', 'outcomes', '--corridor', 'US-MX');
  const rules = stdout.slice(stdout.indexOf('rules'));
  expect(rules).toMatch(/new-device +1 +1[\s\S]*new-country +1 +0/);
});

test('a code of a rule set that people rolled out is listed, counted, and searched for', async () => {
  const ann = await makeOfficer(api.testDatabase, 'Ann');
  const bob = await makeOfficer(api.testDatabase, 'Bob');
  const source = always('own@1');
  await makeApproved(api.database, [ann, bob], source);
  await putInForce(api.database, [ann, bob], source.id, 5);
  const createdAtMs = Date.now() - DAY_MS;
  const [id] = await storeTransactions(api.database, [
    { createdAtMs, score: 600, reasons: ['ALWAYS', DEVICE] },
  ]);
  const get = async (path: string) => (await answerOf(await api.request(path))).body;
  const { items: reasons } = await get('/v1/reason-codes');
  expect(reasons).toContainEqual({
    ...{ code: 'ALWAYS', description: 'Every amount.', origin: 'rule' },
    ...{ rule_sets: ['own@1'], features: [] },
  });
  // Answers over HTTP are those of the tests above for a minute.
  const { rules } = await readRuleOutcomes(api.database, { days: '28' }, Date.now());
  const of = (code: string) => rules.find((rule) => rule.code === code);
  expect(of('ALWAYS')).toMatchObject({
    rule_sets: ['own@1'],
    hits: 1,
    outcomes: { review: { none: 1 } },
  });
  expect(of(DEVICE)).toMatchObject({ rule_sets: [currentRuleSet.id] });
  const found = await get('/v1/transactions?reason=ALWAYS');
  expect(found.items).toMatchObject([{ transaction_id: id }]);
  const { items: days } = await get('/v1/summaries/daily?group_by=rule');
  expect(days).toContainEqual(expect.objectContaining({ rule: 'ALWAYS', transactions: 1 }));
  expect((await get('/v1/summaries/daily?rule=ALWAYS')).items).toHaveLength(1);
});
