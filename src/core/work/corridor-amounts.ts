/** A worker's copy of the corridors' percentiles: no transaction waits for Postgres to be compared. */
import type { Query } from '../../kit/database/pool.ts';
import type { Duty } from '../../kit/duties/run-duties.ts';
import { DAY_MS } from '../../kit/words/utc-bucket.ts';
import { FRESH_DAYS } from '../domain/corridor-amount.ts';
import {
  type CorridorAmounts,
  createCorridorAmounts,
  NO_CORRIDOR_AMOUNTS,
} from '../profile/corridor-amounts.ts';
import { readCorridorAmounts } from '../store/amounts/corridor-amounts.ts';

/** A day's percentiles are written minutes after midnight. Until then those of the day before are compared with. */
const READ_EVERY_MS = 60_000;

export type OpenAmounts = { readonly current: () => CorridorAmounts; readonly duty: Duty };

/** Reads the days of transactions that are up to FRESH_DAYS old, and of tomorrow, as clocks differ. */
export async function openCorridorAmounts(query: Query, nowMs = Date.now): Promise<OpenAmounts> {
  let copy = NO_CORRIDOR_AMOUNTS;
  const read = async () => {
    const today = Math.floor(nowMs() / DAY_MS);
    const days = Array.from({ length: FRESH_DAYS + 2 }, (_, back) => today + 1 - back);
    copy = createCorridorAmounts(await readCorridorAmounts(query, days));
  };
  await read();
  return {
    current: () => copy,
    duty: { name: 'read-amounts', everyMs: READ_EVERY_MS, run: read },
  };
}
