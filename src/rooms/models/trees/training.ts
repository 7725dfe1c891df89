/** Has trees trained each week, once a market has learnt enough. */
import { offOf } from '../../../core/domain/control.ts';
import type { Training } from '../../../core/room.ts';
import { readControls } from '../../../core/store/controls/controls.ts';
import { HOUR_MS } from '../../../kit/words/range.ts';
import { areTreesDue } from '../store/trees.ts';

export const TREES: Training = {
  name: 'train-trees',
  everyMs: HOUR_MS,
  // Shorter: a training that always fails keeps a processor busy.
  againMs: 6 * HOUR_MS,
  isDue: async (database, day) =>
    (await areTreesDue(database.query, day)) &&
    offOf(await readControls(database), 'shadows') === undefined,
  run: async (...of) => (await import('./train-trees.ts')).trainTrees(...of),
};
