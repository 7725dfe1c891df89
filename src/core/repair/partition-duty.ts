/** Partitions in a worker: one process makes those of the months to come, and has every session read the list of them again. */
import type { Leadership } from '../../kit/duties/leadership.ts';
import type { Duty } from '../../kit/duties/run-duties.ts';
import { monthOf } from '../../kit/words/month.ts';
import {
  ensurePartitions,
  listMonthTables,
  MONTHS_AHEAD,
  renewPartitionLists,
} from '../store/partitions/partitions.ts';

/**
 * A session that lost the notice of a month omits its rows for up to two of these. A session builds its list in milliseconds,
 * so a notice that comes one of these after the month finds no session still building the old list.
 */
const PARTITIONS_EVERY_MS = 5000;

export function bindPartitions(leadership: Leadership): Duty {
  const lead = leadership.of('repair');
  // A new leader knows of no notice, so its second run sends one.
  let [renewed, seen] = ['', ''];
  return {
    name: 'partitions',
    everyMs: PARTITIONS_EVERY_MS,
    run: async () => {
      const month = monthOf(Date.now());
      const ahead = Array.from({ length: MONTHS_AHEAD + 1 }, (_, index) => month + index);
      await lead.run(async () => {
        await ensurePartitions(lead.writes, ahead);
        const found = JSON.stringify(
          Array.from(await listMonthTables(lead.writes.query), ([key, tables]) => [key, ...tables]),
        );
        if (found === seen && found !== renewed) {
          await renewPartitionLists(lead.writes.query);
          renewed = found;
        }
        seen = found;
      });
    },
  };
}
