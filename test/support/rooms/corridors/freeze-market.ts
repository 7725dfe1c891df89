/** Freezes the market of a database, as a rollback needs it. */
import { changeControl } from '../../../../src/rooms/corridors/control-change.ts';

export const freezeMarket = (database: Parameters<typeof changeControl>[0]) =>
  changeControl(database, {
    kind: 'freeze',
    scope: 'market',
    command: { in_force: true, reason: 'closed' },
    by: { name: 'Ann', keyId: 'key', request: 'a test', roles: new Set(['admin']) },
  });
