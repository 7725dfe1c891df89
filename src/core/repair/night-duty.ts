/**
 * The duty that has the table of each day built, once a night, in a process of its own: a solve keeps a processor busy for a
 * second. Nobody waits for the table; two nights of one day store one table, as a day has at most one.
 */
import { onlyOf } from '../../kit/database/statement.ts';
import type { Duty } from '../../kit/duties/run-duties.ts';
import { lowestIdAt } from '../../kit/words/cursor.ts';
import { DAY_MS } from '../../kit/words/range.ts';
import type { Aside, Worker } from '../room.ts';
import { endWorse } from './night/after-night.ts';

const LOOK_EVERY_MS = 60_000;
/** Time of day from which a table is built once nothing older is pending. Earlier: payments of midnight are missed. */
const SETTLED_MS = 600_000;
/** Time of day from which a table is built whatever is pending. */
const LATEST_MS = 3_600_000;
/** Wait after a night that failed. Shorter: a night that always fails keeps a processor busy. */
const RETRY_MS = 1_800_000;

export const NIGHT: Aside = {
  ...{ name: 'night', run: 'buildTable', makes: 'table', heapMib: 64 },
  module: new URL('night/build-table.ts', import.meta.url),
};

const lookAt = onlyOf<{ isBuilt: boolean; isPending: boolean }, [day: number, lowest: string]>(
  'look-at-night',
  `select exists (select from market.scorecards where day = date '1970-01-01' + $1::int4) as "isBuilt",
          exists (select from market.open_rows
                   where not is_on_hold
                     and exists (select from unnest(transaction_ids) id where id < $2::uuid)) as "isPending"`,
);

export function bindNight(
  { database, leadership, runAside }: Pick<Worker, 'database' | 'leadership' | 'runAside'>,
  nowMs = Date.now,
): Duty {
  const lead = leadership.of('care');
  // A process that has just begun looks a minute later, so that one that ends at once builds nothing.
  let notBeforeMs = nowMs() + LOOK_EVERY_MS;
  return {
    name: 'build-scorecard',
    everyMs: LOOK_EVERY_MS,
    run: async (signal) => {
      const atMs = nowMs();
      const day = Math.floor(atMs / DAY_MS);
      const timeMs = atMs - day * DAY_MS;
      if (atMs < notBeforeMs || timeMs < SETTLED_MS) return;
      await lead.run(async () => {
        const { isBuilt, isPending } = await lookAt(database.query, day, lowestIdAt(day * DAY_MS));
        if (!isBuilt) {
          if (isPending && timeMs < LATEST_MS) return;
          notBeforeMs = atMs + RETRY_MS;
          await runAside(NIGHT, day, signal);
        }
        // Each look, as the leader before may have ended after the night.
        await endWorse(database, day);
      });
    },
  };
}
