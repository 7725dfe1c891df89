/** The duty of the leading worker that counts the amounts of corridors, slice by slice. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Leadership } from '../../kit/duties/leadership.ts';
import type { Duty } from '../../kit/duties/run-duties.ts';
import { countSlice } from '../store/amounts/corridor-amounts.ts';

const COUNT_EVERY_MS = 60_000;
/** Pause between slices of a backlog. Shorter: the count takes the processor of scoring; longer: percentiles come later. */
const SLICE_EVERY_MS = 20;

export function bindAmounts(leadership: Leadership, nowMs = Date.now): Duty {
  const lead = leadership.of('care');
  return {
    name: 'count-amounts',
    everyMs: COUNT_EVERY_MS,
    run: async (signal) => {
      await lead.run(async () => {
        while (await countSlice(lead.writes.transaction, nowMs())) {
          if (signal.aborted) return;
          await delay(SLICE_EVERY_MS, undefined, { signal }).catch(() => undefined);
        }
      });
    },
  };
}
