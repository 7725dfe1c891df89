/** Partitions in a worker: one process makes those of the months to come. */
import { monthOf } from '../../domain/month.ts';
import type { Leadership } from '../../store/maintenance/leadership.ts';
import { ensurePartitions, MONTHS_AHEAD } from '../../store/partitions/partitions.ts';
import type { Duty } from '../../worker/run-duties.ts';

const PARTITIONS_EVERY_MS = 3_600_000;

export function bindPartitions(leadership: Leadership): Duty {
  const lead = leadership.of('partitions');
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
