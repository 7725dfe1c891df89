/** When backtests end. */
import type { Retention } from '../../kit/duties/retention.ts';

export const tables: readonly Retention[] = [
  {
    tables: ['backtests', 'backtest_days'],
    ends: 'never: a report of some 50 kB, and 5 kB a day and corridor, say why a version came into force',
  },
];
