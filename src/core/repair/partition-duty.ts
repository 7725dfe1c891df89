/** Partitions in a worker: one process makes those of the months to come. */
import type { Leadership } from '../../kit/duties/leadership.ts';
import type { Duty } from '../../kit/duties/run-duties.ts';
import { monthOf } from '../../kit/words/month.ts';
import { ensurePartitions, MONTHS_AHEAD } from '../store/partitions/partitions.ts';

const PARTITIONS_EVERY_MS = 3_600_000;

export function bindPartitions(leadership: Leadership): Duty {
  const lead = leadership.of('repair');
  return {
    name: 'partitions',
    everyMs: PARTITIONS_EVERY_MS,
    run: async () => {
      const month = monthOf(Date.now());
      const ahead = Array.from({ length: MONTHS_AHEAD + 1 }, (_, index) => month + index);
      await lead.run(async () => {
        await ensurePartitions(lead.writes, ahead);
      });
    },
  };
}
