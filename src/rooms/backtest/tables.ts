/** When backtests end. */
import type { Retention } from '../../kit/duties/retention.ts';

export const tables: readonly Retention[] = [
  {
    tables: ['backtests'],
    ends: 'never: a report of some 50 kB says why a version came into force',
  },
];
