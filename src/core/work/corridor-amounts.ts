/** A worker's copy of the corridors' percentiles, so that scoring does not read them from Postgres. */
import type { Query } from '../../kit/database/pool.ts';
import type { Duty } from '../../kit/duties/run-duties.ts';
import { DAY_MS } from '../../kit/words/range.ts';
import { FRESH_DAYS } from '../domain/corridor-amount.ts';
import {
  type CorridorAmounts,
  createCorridorAmounts,
  NO_CORRIDOR_AMOUNTS,
} from '../profile/fold-batch.ts';
import { readCorridorAmounts } from '../store/amounts/corridor-amounts.ts';

/** New percentiles appear minutes after midnight UTC. Longer: yesterday's percentile is used longer; shorter: more reads. */
const READ_EVERY_MS = 60_000;

/** Reads percentiles for transactions up to FRESH_DAYS old, and for tomorrow because clocks differ. */
export async function openCorridorAmounts(query: Query, nowMs = Date.now) {
  let copy: CorridorAmounts = NO_CORRIDOR_AMOUNTS;
  const read = async () => {
    const today = Math.floor(nowMs() / DAY_MS);
    const days = Array.from({ length: FRESH_DAYS + 2 }, (_, back) => today + 1 - back);
    copy = createCorridorAmounts(await readCorridorAmounts(query, days));
  };
  await read();
  const duty: Duty = { name: 'read-amounts', everyMs: READ_EVERY_MS, run: read };
  return { current: () => copy, duty };
}
