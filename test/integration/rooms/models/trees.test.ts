/**
 * Goal: trees that train themselves are a function of the store, their risk is a probability, they decide under their policy alone, and
 * people hear of them once they are ahead. Method: 40 made days of payments, the duties of two trainers, and made-up opinions.
 */
import { expect, test } from 'vitest';
import { decidingIn } from '../../../../src/core/domain/control.ts';
import { FEATURE_LIST } from '../../../../src/core/domain/feature-schema.ts';
import { buildTable } from '../../../../src/core/repair/night/build-table.ts';
import { bindTrainings } from '../../../../src/core/repair/trainings.ts';
import type { Training } from '../../../../src/core/room.ts';
import { subjectsInForce } from '../../../../src/core/score/rollout/in-force.ts';
import { textOfDay } from '../../../../src/core/score/scorecard/day-table.ts';
import { MODELS, readRollouts } from '../../../../src/core/store/rollouts/rollouts.ts';
import { listCorridors } from '../../../../src/core/store/transactions/transactions.ts';
import { DAY_MS, HOUR_MS } from '../../../../src/kit/words/range.ts';
import { events } from '../../../../src/rooms/models/events.ts';
import { openScoringModel } from '../../../../src/rooms/models/registry/scoring-model.ts';
import { models } from '../../../../src/rooms/models/room.ts';
import { findModel, readModel } from '../../../../src/rooms/models/store/models.ts';
import { insertShadowBatch } from '../../../../src/rooms/models/store/shadow-batches.ts';
import { areTreesDue, compareTrees } from '../../../../src/rooms/models/store/trees.ts';
import { makeTrees } from '../../../../src/rooms/models/trees/train-trees.ts';
import { testConfig } from '../../../support/config.ts';
import { aControl, controlsOf, endControlIn, setControl } from '../../../support/controls.ts';
import { openTestDatabase } from '../../../support/database.ts';
import { dayTable } from '../../../support/day-tables.ts';
import {
  type MadePayment,
  makeDay,
  nightOf,
  SIGNAL,
  storeLabelled,
} from '../../../support/made-days.ts';
import { POLICY_1, policyValue, putInForce } from '../../../support/policies.ts';

const FIRST = 20_600;
const LAST = FIRST + 40;
const A_DAY = 80;
const FEATURES = ['amount_to_median', 'night'];
const MATURITY_DAYS = 7;
/** Most features, so that a training takes a second. */
const LEFT_OUT = FEATURE_LIST.flatMap(({ name }) => (FEATURES.includes(name) ? [] : name)).slice(
  0,
  84,
);
const NAME = `scorecard-trees@${textOfDay(LAST)}`;
const { testDatabase, database } = await openTestDatabase();
const options = nightOf(LAST);

const payments: MadePayment[] = [];
let next = FIRST;
for (const day of [FIRST + 1, FIRST + 21, LAST]) {
  const made: MadePayment[] = [];
  for (; next < day; next++) made.push(...makeDay(next, A_DAY));
  await storeLabelled(database, made, day === FIRST + 1 ? null : 1);
  payments.push(...made);
  await buildTable(database, nightOf(day));
}
await putInForce(database, policyValue({ measures_left_out: LEFT_OUT }));

const config = testConfig({ RISK_LABEL_MATURITY_DAYS: String(MATURITY_DAYS) });
const log: string[] = [];
let nowMs = LAST * DAY_MS;
const trees = models.training as Training;
const noted: Training = {
  ...trees,
  run: (of, at) => {
    log.push(`trees of ${textOfDay(at.day)}`);
    return trees.run(of, at);
  },
};
const duties = [1, 2].flatMap(() => bindTrainings([noted], { config, database }, () => nowMs));
const look = () => Promise.all(duties.map((duty) => duty.run(options.signal)));
const openTrees = async () => {
  const { model_id = '' } = (await findModel(database.query, NAME)) ?? {};
  const { artefact, manifest } = await readModel(database, model_id);
  return { manifest, model: openScoringModel(artefact, manifest) };
};

test('one trainer trains trees of 500 frauds and 28 days, each week, and not while shadows are off', async () => {
  // As if the frauds of a larger market were known.
  await testDatabase.sql('alter table scorecards disable trigger user');
  const know = (frauds: number) => testDatabase.sql('update scorecards set frauds = $1', [frauds]);
  await know(500);
  nowMs += HOUR_MS;
  await setControl(database, 'off', 'flag:shadows');
  await look();
  await endControlIn(database, 'off', 'flag:shadows');
  await know(499);
  await look();
  expect(log).toEqual([]);
  await know(500);
  expect(await areTreesDue(database, FIRST + 21)).toBe(false);
  await look();
  expect(log).toEqual([`trees of ${textOfDay(LAST)}`]);
  nowMs += 12 * HOUR_MS;
  await look();
  expect(log).toHaveLength(1);
  await testDatabase.sql(`alter table models disable trigger user;
    update models set created_at = created_at - interval '7 days'`);
  expect(await areTreesDue(database, LAST)).toBe(true);
  const lines = await testDatabase.sql<{ action: string }>(
    `select action from audit_log where who = 'engine' and action <> 'month.create' order by audit_id`,
  );
  expect(lines.map(({ action }) => action)).toEqual(['model.register', 'rollout.shadow']);
});

test('the same store gives the same trees', async () => {
  const { manifest } = await makeTrees(database, options);
  const told = (await openTrees()).manifest;
  expect(told).toEqual(JSON.parse(JSON.stringify(manifest)));
  expect(told.feature_names).toContain('night');
  expect(told.feature_names).not.toContain('hour');
});

test('a training reads as many rows as its memory has room for', async () => {
  const few = 350 * (FEATURE_LIST.length + 1 - LEFT_OUT.length);
  const lack = await makeTrees(database, options, few).catch(String);
  const [frauds = 0, others = 0] = [...`${lack}`.matchAll(/(\d+) (?:frauds|legitimate)/g)].map(
    ([, rows]) => Number(rows),
  );
  expect(lack).toContain('needs 30 of each');
  expect(frauds + others).toBeLessThanOrEqual(300);
});

test('trees learn of no payment that takes part in no solve', async () => {
  await setControl(database, 'freeze', 'corridor:US-EG');
  await expect(makeTrees(database, options)).rejects.toThrow('has no labelled rows');
  await endControlIn(database, 'freeze', 'corridor:US-EG');
});

test('the engine has a shadow in each corridor, which a fifth shadow of people takes', async () => {
  const rows = await readRollouts(MODELS, database);
  const { manifest } = await openTrees();
  expect(rows.map(({ corridor }) => corridor)).toEqual(await listCorridors(database));
  expect(new Set(rows.map(({ state, cause }) => `${state} by ${cause}`))).toEqual(
    new Set(['shadow by engine']),
  );
  const people = ['a', 'b', 'c', 'd'].map((subject) => ({
    ...{ corridor: 'US-EG', subject, state: 'shadow', canary_percent: 0, cause: 'approval' },
  })) as unknown as typeof rows;
  const shadows = (log: typeof rows) => subjectsInForce(log).get('US-EG')?.shadows;
  expect(shadows([...people.slice(1), ...rows])).toEqual(['d', 'c', 'b', manifest.sha256]);
  expect(shadows([...people, ...rows])).toEqual(['d', 'c', 'b', 'a']);
});

test('the trees decide while the policy is in force under which they were trained', async () => {
  const { model } = await openTrees();
  const policy = aControl('scorecard', `model:${POLICY_1}`);
  expect(decidingIn(controlsOf(policy), [model])).toEqual([model]);
  expect(decidingIn(controlsOf(), [model])).toEqual([]);
});

test('the risk is a probability', async () => {
  const { manifest, model } = await openTrees();
  const table = { serial: 1, sha256: '', table: dayTable({ day: LAST }) };
  const later = makeDay(LAST, 4000, 'later');
  const z = ({ vector }: MadePayment) => Math.log(vector[SIGNAL] ?? 1);
  const opinions = model.judge(later.map((of) => ({ ...of, table, margin: () => z(of) })));
  const probabilities = opinions.map((opinion) => opinion?.probability ?? Number.NaN);
  const mean = probabilities.reduce((sum, p) => sum + p, 0) / later.length;
  // Table and trees say much of the same: each counts for less than on its own.
  expect(manifest.calibration?.slope).toBeLessThan(1);
  const rate = later.filter(({ isFraud }) => isFraud).length / later.length;
  expect(mean / rate).toBeGreaterThan(0.8);
  expect(mean / rate).toBeLessThan(1.2);
  const reviewed = probabilities.filter((p) => p >= (opinions[0]?.bands?.reviewFrom ?? 2));
  expect(reviewed.length / later.length).toBeGreaterThan(0.005);
  expect(reviewed.length / later.length).toBeLessThan(0.02);
});

test('people hear of trees whose line caught more than the scorecard in two matured weeks', async () => {
  const toMs = (LAST - MATURITY_DAYS - 1) * DAY_MS;
  const isOfWeeks = (atMs: number) => atMs >= toMs - 14 * DAY_MS && atMs < toMs;
  const lived = payments.filter(({ createdAtMs }) => isOfWeeks(createdAtMs));
  const modelId = (await openTrees()).manifest.sha256;
  const probabilities = payments.map(({ isFraud }, nth) => (isFraud ? 0.9 : 0.5) - nth / 100_000);
  const transactionIds = payments.map(({ id }) => id);
  // A batch that came again is stored twice.
  for (const _ of [1, 2])
    await insertShadowBatch(database, { modelId, transactionIds, probabilities }, toMs - 1);
  const matured = { fromMs: 0, toMs, knownByMs: LAST * DAY_MS, isOut: () => 'false' };
  const margins = lived.map(({ vector }) => vector[SIGNAL] ?? 0).sort((a, b) => b - a);
  const alerts = Math.floor(0.01 * lived.length);
  expect(await compareTrees(database.query, matured, 0.01)).toEqual({
    frauds: lived.filter(({ isFraud }) => isFraud).length,
    trees: alerts,
    scorecard: lived.filter(({ vector, isFraud }) => {
      return isFraud && (vector[SIGNAL] ?? 0) >= (margins[alerts - 1] ?? 0);
    }).length,
  });
  const half = 1 + lived.length / 2;
  const sampled = await compareTrees(database.query, matured, 0.01, half);
  expect(Math.abs((sampled?.trees ?? 0) - alerts / 2)).toBeLessThan(alerts / 4);

  const hear = async (of: object) => {
    await testDatabase.sql('update models set card = card || $1', [{ beside: of }]);
    const [waiting] = events.filter(({ type }) => type === 'approval.waiting');
    return (await waiting?.find(database.query, 0))?.map(({ data }) => data);
  };
  const ahead = { frauds: 100, trees: 31, scorecard: 30 };
  expect(await hear({ ...ahead, frauds: 99 })).toEqual([]);
  expect(await hear({ ...ahead, scorecard: 31 })).toEqual([]);
  const next = `A person proposes them: risk models promote ${NAME} --corridor CORRIDOR --to canary:5.`;
  expect(await hear(ahead)).toMatchObject([{ subject: NAME, who: 'engine', next }]);
  // Nobody could put them in force.
  await endControlIn(database, 'scorecard', `model:${POLICY_1}`);
  expect(await hear(ahead)).toEqual([]);
});
