/** The room of backtests: what a version of rules or a model would have decided of stored transactions. */
import type { Room } from '../../core/room.ts';
import { PURGE_STEP_ROWS_MAX, purgeRows, type Retention } from '../../kit/duties/purge.ts';

const OLD = `(select backtest_id from market.backtests where ended_at < now() - interval '90 days')`;

const tables: readonly Retention[] = [
  {
    tables: ['backtests'],
    ends: 'never: a report of some 50 kB says why a version came into force',
  },
  {
    tables: ['backtest_days'],
    ends: '90 days after the backtest ended: some 5 kB a day and corridor, which other bands are told from',
    purges: [
      purgeRows(
        'backtest_days',
        `from market.backtest_days where backtest_id in ${OLD} limit ${PURGE_STEP_ROWS_MAX}`,
      ),
    ],
  },
];

export const backtest: Room = {
  name: 'backtest',
  commands: { backtest: () => import('./commands.ts') },
  routes: () => import('./routes.ts'),
  worker: async (worker) => (await import('./duty.ts')).openBacktests(worker),
  tables,
};
