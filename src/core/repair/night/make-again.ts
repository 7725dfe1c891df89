/** Makes the table of a day again, for auditors: kept rows give the same table, and what came since moves its margins. */
import type { Database } from '../../../kit/database/pool.ts';
import { uuidsIn } from '../../../kit/words/cursor.ts';
import { Failure } from '../../../kit/words/failure.ts';
import { textOfDay } from '../../score/scorecard/day-table.ts';
import { marginBy } from '../../score/scorecard/judge-by-table.ts';
import { CUT_PAYMENTS, ID_BYTES, leastHashes } from '../../score/scorecard/kept-rows.ts';
import { listCounted, readSample } from '../../store/scorecards/read-night.ts';
import { readVectorRows } from '../../store/scorecards/read-payments.ts';
import { findHead, readTable } from '../../store/scorecards/scorecards.ts';
import { makeNight } from './build-table.ts';
import { CUT_DAYS } from './count-days.ts';

type Options = Parameters<typeof makeNight>[1];

/** Resolves to the greatest difference of margins over the sample of the night. @throws Failure where the day has no table */
export async function makeAgain(database: Pick<Database, 'query' | 'session'>, options: Options) {
  const { query } = database;
  const { day, signal } = options;
  const head = await findHead(query, day);
  const stored = head && (await readTable(query, head.serial));
  if (stored === undefined)
    throw new Failure('not-found', 'SCORECARD_UNKNOWN', `${textOfDay(day)} has no table`);
  const again = await makeNight(database, options);
  const least = leastHashes(CUT_PAYMENTS);
  for (const { day: of } of await listCounted(query, day - CUT_DAYS, day)) {
    const { sample } = await readSample(query, of);
    for (let at = 0; at < sample.length; at += ID_BYTES) least.addBytes(sample, at);
  }
  let [payments, apart] = [0, 0];
  const all = { knownByMs: 0, isOut: () => 'false' };
  for await (const rows of readVectorRows(query, uuidsIn(least.end()), all, signal)) {
    for (const { vector } of rows)
      apart = Math.max(apart, Math.abs(marginBy(again, vector) - marginBy(stored, vector)));
    payments += rows.length;
  }
  return {
    payments,
    apart,
    frauds: [stored.table, again.table].map((of) => of.learnt.knownFrauds),
  };
}
