/** Counts amounts of corridors as a duty: one worker does it, a slice at a time. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Leadership } from '../../kit/duties/leadership.ts';
import type { Duty } from '../../kit/duties/run-duties.ts';
import { countSlice } from '../store/amounts/corridor-amounts.ts';

const COUNT_EVERY_MS = 60_000;
/** Pause between slices while more wait, so that counting old rows does not slow new ones. */
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
