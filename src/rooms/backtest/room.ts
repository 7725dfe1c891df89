/** The room of backtests: what a version of rules or a model would have decided of stored transactions. */
import type { Room } from '../../core/room.ts';
import { tables } from './tables.ts';

export const backtest: Room = {
  name: 'backtest',
  commands: { backtest: () => import('./commands.ts') },
  document: async () => (await import('./routes.ts')).document,
  api: async (api) => (await import('./routes.ts')).openBacktestApi(api),
  worker: async (worker) => (await import('./duty.ts')).openBacktests(worker),
  tables,
};
