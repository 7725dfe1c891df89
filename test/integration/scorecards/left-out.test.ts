/**
 * Goal: labels of a frozen corridor, of a stopped client, and those that people take out, take part in no solve; neither do their
 * payments, and all of it counts again once the control ends. Method: two stores, of which one never had the payments.
 */
import { beforeEach, expect, test } from 'vitest';
import { buildTable, makeNight } from '../../../src/core/repair/night/build-table.ts';
import { DAY_MS } from '../../../src/kit/words/range.ts';
import { insertControl } from '../../support/controls.ts';
import { openTestDatabase } from '../../support/database.ts';
import { makeDay, storeKnown, storeScored } from '../../support/made-days.ts';

const [FIRST, DAYS] = [20_600, 40];
const LAST = FIRST + DAYS;
const [without, having] = [await openTestDatabase(), await openTestDatabase()];
const { sql } = having.testDatabase;

const optionsOf = (day: number) => ({
  ...{ day, maturityDays: 7, by: { name: 'Cy', keyId: null, request: 'test' } },
  signal: new AbortController().signal,
});
const make = ({ database }: typeof having, day = LAST) => makeNight(database, optionsOf(day));

/** Frauds and honest payments of a day, all of them unusual; most days have none. */
const waveOf = (day: number, seed: string) =>
  day % 4 !== 0 || day > LAST - 6
    ? []
    : makeDay(day, 8, `${seed} ${day}`).map((of, nth) => ({ ...of, isFraud: nth % 2 === 0 }));
const WAVES = [
  { corridor: 'US-MX', client: 'default', by: 'default' },
  { corridor: 'US-EG', client: 'wave', by: 'default' },
  { corridor: 'US-EG', client: 'default', by: 'wave' },
  { corridor: 'US-EG', client: 'default', by: 'importer' },
];
/** Matured frauds of a wave, and of its next day. */
const [OF_WAVE, OF_DAY] = [8 * 4, 4];

for (let day = FIRST; day < LAST; day++) {
  const made = makeDay(day, 60);
  for (const { database } of [without, having]) {
    await storeScored(database, made);
    await storeKnown(database, made, 3);
  }
  for (const [nth, { by, ...of }] of WAVES.entries()) {
    const wave = waveOf(day, `wave ${nth}`).map((payment) => ({ ...payment, ...of }));
    if (wave.length === 0) continue;
    await storeScored(having.database, wave);
    await storeKnown(having.database, wave, 4, by);
  }
}

const CONTROLS = [
  insertControl('freeze', 'corridor:US-MX'),
  insertControl('stop', 'client:wave'),
  insertControl('unlearnt', 'client:importer', { received_days: 180 }),
];
const setAll = async (controls: readonly string[] = CONTROLS) => {
  for (const control of controls) await sql(control);
  await sql('update controls set set_at = to_timestamp($1)', [(LAST * DAY_MS) / 1000]);
};
beforeEach(() => sql('delete from controls'));

const expected = await make(without);
const labelsApart = ({ table: { scorecard, learnt, tops } }: typeof expected) => ({
  ...{ scorecard, tops },
  learnt: { ...learnt, labelled: null },
});

test('a table without the labels is that of a store that never had their payments', async () => {
  await setAll();
  const night = await make(having);
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
  const { table } = await make(having);
  expect(table.leftOutLabels).toEqual([]);
  expect(table.learnt.knownFrauds).toBe(expected.table.learnt.knownFrauds + 4 * OF_WAVE);
  for (const [nth, control] of CONTROLS.entries()) {
    await sql('delete from controls');
    await setAll([control]);
    const left = (await make(having)).table.learnt.knownFrauds;
    expect(table.learnt.knownFrauds - left).toBe(nth === 1 ? 2 * OF_WAVE : OF_WAVE);
  }
});

test('labels that were received before, or after the control was set, stay; a whole market is taken out', async () => {
  const unlearnt = (scope: string, days: number) =>
    setAll([insertControl('unlearnt', scope, { received_days: days })]);
  const known = async () => (await make(having)).table.learnt.knownFrauds;
  const all = await known();
  await unlearnt('client:importer', 1);
  expect(await known()).toBe(all);
  await sql('delete from controls');
  await unlearnt('corridor:US-MX', 180);
  expect(await known()).toBe(all - OF_WAVE);
  await sql('delete from controls');
  await unlearnt('market', 180);
  expect(await known()).toBe(0);
  await sql('update controls set set_at = to_timestamp($1)', [(FIRST * DAY_MS) / 1000]);
  expect(await known()).toBe(all);
});

test('kept rows stay stored, and count again once the control has ended', async () => {
  await setAll();
  const { night } = await buildTable(having.database, optionsOf(LAST));
  const [line] = await sql<{ left: string[]; told: string[] }>(
    `select s.left_out as left, a.after -> 'left_out' as told from scorecards s, audit_log a where a.action = 'scorecard.build'`,
  );
  expect([line?.left, line?.told]).toEqual([night.table.leftOutLabels, night.table.leftOutLabels]);
  const next = await make(having, LAST + 1);
  await sql(`update controls set ends_at = now() - interval '1 s'`);
  const again = await make(having, LAST + 1);
  expect(again.table.leftOutLabels).toEqual([]);
  expect(again.table.learnt.all.frauds - next.table.learnt.all.frauds).toBe(4 * (OF_WAVE + OF_DAY));
});
