/**
 * Goal: labels of a frozen corridor, of a stopped client, and those that people take out, take part in no solve; neither do their
 * payments, and all of it counts again once the control ends. Method: two stores, of which one never had the payments; and a store of
 * so few frauds that its nights count them and solve nothing.
 */
import { beforeEach, expect, test } from 'vitest';
import { buildTable, makeNight } from '../../../src/core/repair/night/build-table.ts';
import type { Night } from '../../../src/core/store/scorecards/write-night.ts';
import { DAY_MS } from '../../../src/kit/words/range.ts';
import { insertControl } from '../../support/controls.ts';
import { openTestDatabase } from '../../support/database.ts';
import {
  makeDays,
  nightOf,
  storeKnown,
  storeLabelled,
  storeScored,
} from '../../support/made-days.ts';

const LAST = 20_640;
const [without, having] = [await openTestDatabase(), await openTestDatabase()];
const few = await openTestDatabase();

const make = ({ database }: typeof having, day = LAST) => makeNight(database, nightOf(day));

/** Frauds and honest payments, all of them unusual, of a day in so many; those of the last day mature in the night after LAST. */
const wavesOf = (seed: string, days: number, every: number) =>
  makeDays(LAST - days, days - 7, 8, seed)
    .filter(({ createdAtMs }) => (LAST - 8 - Math.floor(createdAtMs / DAY_MS)) % every === 0)
    .map((of, nth) => ({ ...of, isFraud: nth % 2 === 0 }));
const WAVES = [
  { corridor: 'US-MX', client: 'default', by: 'default' },
  { corridor: 'US-EG', client: 'wave', by: 'default' },
  { corridor: 'US-EG', client: 'default', by: 'wave' },
  { corridor: 'US-EG', client: 'default', by: 'importer' },
];
/** Matured frauds of a wave in the store of few, and of its next day. */
const [OF_WAVE, OF_DAY] = [2 * 4, 4];

/** @param every days between waves; 0: none comes */
async function fill({ database }: typeof having, days: number, perDay: number, every: number) {
  const made = makeDays(LAST - days, days, perDay);
  await storeLabelled(database, made);
  for (const [nth, { by, ...of }] of every === 0 ? [] : WAVES.entries()) {
    const waves = wavesOf(`wave ${nth}`, days, every).map((payment) => ({ ...payment, ...of }));
    await storeScored(database, waves);
    await storeKnown(database, waves, 4, by);
  }
}
await Promise.all([fill(without, 26, 80, 0), fill(having, 26, 80, 4), fill(few, 21, 12, 6)]);

const CONTROLS = [
  insertControl('freeze', 'corridor:US-MX'),
  insertControl('stop', 'client:wave'),
  insertControl('unlearnt', 'client:importer', { received_days: 180 }),
];
const { sql } = few.testDatabase;
const setAll = async (controls: readonly string[] = CONTROLS, on = sql) => {
  for (const control of controls) await on(control);
  await on('update controls set set_at = to_timestamp($1)', [(LAST * DAY_MS) / 1000]);
};
beforeEach(() => sql('delete from controls'));
const known = async () => (await make(few)).table.learnt.knownFrauds;

const labelsApart = ({ table: { scorecard, learnt, tops } }: Night) => ({
  ...{ scorecard, tops },
  learnt: { ...learnt, labelled: null },
});

test('a table without the labels is that of a store that never had their payments', async () => {
  await setAll(CONTROLS, having.testDatabase.sql);
  const [night, expected] = [await make(having), await make(without)];
  expect(night.table.tops.scorecard).toHaveLength(100);
  expect(night.table.learnt.knownFrauds).toBeGreaterThan(50);
  const { learnt, tops, scorecard } = labelsApart(night);
  const apart = labelsApart(expected);
  expect(learnt.knownFrauds).toBe(apart.learnt.knownFrauds);
  expect([learnt, scorecard, tops]).toEqual([apart.learnt, apart.scorecard, apart.tops]);
  expect(night.table.leftOutLabels).toEqual([
    'freeze:corridor:US-MX',
    'stop:client:wave',
    expect.stringMatching(/^unlearnt:client:importer \S+Z\/2026-07-06T00:00:00\.000Z$/),
  ]);
});

test('each control leaves its own labels out, and the labels of a client that is stopped whoever paid', async () => {
  const { table } = await make(few);
  expect(table.leftOutLabels).toEqual([]);
  for (const [nth, control] of CONTROLS.entries()) {
    await sql('delete from controls');
    await setAll([control]);
    const left = table.learnt.knownFrauds - (await known());
    expect(left).toBe(nth === 1 ? 2 * OF_WAVE : OF_WAVE);
  }
});

test('labels that were received before, or after the control was set, stay; a whole market is taken out', async () => {
  const unlearnt = (scope: string, days: number) =>
    setAll([insertControl('unlearnt', scope, { received_days: days })]);
  const all = await known();
  await unlearnt('client:importer', 1);
  expect(await known()).toBe(all);
  await sql('delete from controls');
  await unlearnt('corridor:US-MX', 180);
  expect(await known()).toBe(all - OF_WAVE);
  await sql('delete from controls');
  await unlearnt('market', 180);
  expect(await known()).toBe(0);
  await sql('update controls set set_at = to_timestamp($1)', [((LAST - 30) * DAY_MS) / 1000]);
  expect(await known()).toBe(all);
});

test('kept rows stay stored, and count again once the control has ended', async () => {
  await setAll();
  const { night } = await buildTable(few.database, nightOf(LAST));
  const [line] = await sql<{ left: string[]; told: string[] }>(
    `select s.left_out as left, a.after -> 'left_out' as told from scorecards s, audit_log a where a.action = 'scorecard.build'`,
  );
  expect([line?.left, line?.told]).toEqual([night.table.leftOutLabels, night.table.leftOutLabels]);
  const next = await make(few, LAST + 1);
  await sql(`update controls set ends_at = now() - interval '1 s'`);
  const again = await make(few, LAST + 1);
  expect(again.table.leftOutLabels).toEqual([]);
  expect(again.table.learnt.all.frauds - next.table.learnt.all.frauds).toBe(4 * (OF_WAVE + OF_DAY));
});
