/** The load `day` of the benches, as a scenario posts it. */
import { daysOf, REQUEST_TRANSACTIONS, requestSizes } from '../../bench/support/day.ts';
import { trafficOf } from '../../bench/support/load.ts';
import { dayLoad } from '../../bench/support/named-loads.ts';
import { trafficRows } from '../../bench/support/traffic.ts';
import { createRandom } from '../../src/kit/random.ts';
import { transactionLine } from '../../src/tools/simulate/simulate.ts';
import type { Batch, TrafficOptions } from '../chaos/support/load.ts';
import type { Setup } from '../chaos/support/scenario.ts';

/** More than any run posts before its faults are over. */
const ROWS_MAX = 2_000_000;

export const SETUP: Partial<Setup> = {
  ...{ batch: REQUEST_TRANSACTIONS, rate: 2000, countersExact: false, recoverSecondsMax: 120 },
  batches: makeDay,
};

/** Requests one behind the other. */
function* makeDay({ seed, endMs = Date.now() }: TrafficOptions): Generator<Batch, undefined> {
  const transactions = ROWS_MAX;
  const day = { ...dayLoad(), transactions, days: daysOf(transactions), seed, endMs };
  const nextSize = requestSizes(createRandom(seed));
  let [rows, keys, size]: [string[], string[], number] = [[], [], nextSize()];
  for (const row of trafficRows(trafficOf(day))) {
    rows.push(transactionLine(row).trimEnd());
    keys.push(row.idempotencyKey);
    if (rows.length < size) continue;
    yield { keys, rows, spoiled: [], body: `{"transactions":[${rows.join(',')}]}` };
    [rows, keys, size] = [[], [], nextSize()];
  }
  return undefined;
}
