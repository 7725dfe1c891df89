/**
 * Builds the table of a day from one snapshot of the store, and stores the table in one commit; the same store gives the same bytes. A
 * night reads only payments of days that were not counted yet, usually one day.
 */
import type { Database, Query } from '../../../kit/database/pool.ts';
import { inSnapshot } from '../../../kit/database/snapshot.ts';
import { Failure } from '../../../kit/words/failure.ts';
import { DAY_MS } from '../../../kit/words/range.ts';
import type { TrainingOptions } from '../../room.ts';
import { currentRuleSet } from '../../score/rules/rule-sets.ts';
import { type DayTable, slotNames, textOfDay } from '../../score/scorecard/day-table.ts';
import { goldenOf } from '../../score/scorecard/golden.ts';
import { marginBy } from '../../score/scorecard/judge-by-table.ts';
import { CUT_PAYMENTS } from '../../score/scorecard/kept-rows.ts';
import { measureNames } from '../../score/scorecard/measures.ts';
import { encodeTable } from '../../score/scorecard/table-bytes.ts';
import { collectWeeks } from '../../score/scorecard/weeks.ts';
import { listLeftOut, maturedBy } from '../../store/scorecards/left-out.ts';
import {
  countScored,
  findCrowded,
  listPlayed,
  readLeast,
  readMarketOfNight,
  readPolicyOfNight,
  readRatesOfDays,
} from '../../store/scorecards/read-night.ts';
import { readVectorRows } from '../../store/scorecards/read-payments.ts';
import { dayTaken, findHead, readTable } from '../../store/scorecards/scorecards.ts';
import { type Night, storeNight } from '../../store/scorecards/write-night.ts';
import { differsFrom } from './bound.ts';
import { COUNTED_DAYS, CUT_DAYS, type Known, LEARNT_DAYS, sumUp } from './count-days.ts';
import { chooseRows, cutDays, findCuttings, findTops, learnRows, readRows } from './night-rows.ts';

/** @throws Failure where the day has a table */
export async function buildTable(
  database: Pick<Database, 'query' | 'session' | 'transaction'>,
  options: TrainingOptions,
): Promise<{ readonly serial: number; readonly night: Night }> {
  if ((await findHead(database.query, options.day)) !== undefined) throw dayTaken(options.day);
  const night = await makeNight(database, options);
  return { serial: await storeNight(database, night, options.by), night };
}

type Options = Omit<TrainingOptions, 'by'>;

/** Makes what a night stores. */
export const makeNight = (database: Pick<Database, 'session'>, options: Options): Promise<Night> =>
  inSnapshot(database, (query) => readNight(query, options));

async function readNight(query: Query, options: Options): Promise<Night> {
  const { day, signal } = options;
  const market = await readMarketOfNight(query);
  const firstDay = day - LEARNT_DAYS;
  const scored = await countScored(query, firstDay, day);
  const { name: policy, terms, isBounded } = await readPolicyOfNight(query);
  const leftOutLabels = await listLeftOut(query);
  const matured = maturedBy(options, LEARNT_DAYS, leftOutLabels);
  const known: Known = {
    ...{ ...market, query, day, signal },
    rates: await readRatesOfDays(query, firstDay, day),
    matured: { ...matured, toMs: matured.toMs + 1 },
    payments: new Map(scored.map((of) => [of.day, of.payments])),
  };
  const weeks = collectWeeks(matured.toMs / DAY_MS);
  const { counted, parties, frauds, evidence } = await sumUp(known, weeks);
  const ruleSet = currentRuleSet;
  const measures = measureNames(slotNames(market.slots));
  const { cuts, met, newest } = await cutDays(known, counted, frauds.total, ruleSet, measures);
  const chosen = await chooseRows(known, counted, frauds);
  const leftOut = terms.measures_left_out;
  const learning = { chosen, cuts, met, measures, ruleSet, leftOut };
  const judging = {
    ...{ ruleSet: ruleSet.id, measures },
    ...(await learnRows(known, counted, frauds, learning)),
  };
  const table: DayTable = {
    ...{ day, group: market.reading.group, leftOut, leftOutLabels },
    slots: market.slots.map(({ field, kind }) => ({ field, kind })),
    ...judging,
    ...evidence,
    tops: await findTops(known, newest, { table: judging }),
    golden: goldenOf({ table: judging }),
    ...{ currency: market.reading.currency, weeks: weeks.end() },
    crowded: {
      device: await findCrowded(query, 'device', parties.device, day),
      address: await findCrowded(query, 'address', parties.address, day),
    },
  };
  const differs = await differsFrom(known, counted, table, terms);
  const recent = scored.filter((of) => of.day >= day - COUNTED_DAYS);
  const played = await listPlayed(query, firstDay, LEARNT_DAYS);
  return {
    ...{ table, bytes: encodeTable(table), readTo: market.readTo, days: [...counted.values()] },
    ...{ policy, differs, isTaken: !isBounded || (differs !== null && differs <= terms.bound) },
    rows: {
      ids: chosen.ids,
      read: (of) =>
        readRows(chosen, { ...known, query: of }, findCuttings(of, { measures, cuts }), ruleSet),
    },
    present: [...played, ...scored].map((of) => of.day),
    counted: [...played, ...recent].map((of) => of.day),
    payments: recent.reduce((sum, { payments }) => sum + payments, 0),
  };
}

/** Makes the table of a day again. Resolves to the greatest difference of margins over the sample. @throws Failure without a table */
export async function makeAgain(database: Pick<Database, 'query' | 'session'>, options: Options) {
  const { query } = database;
  const { day, signal } = options;
  const head = await findHead(query, day);
  const stored = head && (await readTable(query, head.serial));
  if (stored === undefined)
    throw new Failure('not-found', 'SCORECARD_UNKNOWN', `${textOfDay(day)} has no table`);
  const again = await makeNight(database, options);
  const ids = await readLeast(query, day - CUT_DAYS, day, CUT_PAYMENTS);
  let [payments, apart] = [0, 0];
  const all = { knownByMs: 0, isOut: () => 'false' };
  for await (const rows of readVectorRows(query, ids, all, signal)) {
    for (const { vector } of rows)
      apart = Math.max(apart, Math.abs(marginBy(again, vector) - marginBy(stored, vector)));
    payments += rows.length;
  }
  const [frauds, now] = [stored, again].map(({ table }) => table.learnt.knownFrauds);
  return { payments, apart, frauds, frauds_now: now };
}
