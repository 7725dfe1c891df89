/** `risk limits …`: sets, raises and removes limits over a running API. */
import { commandOf } from '../../kit/command/rows.ts';

const words = { SCOPE: 'scope' };

export const command = commandOf({
  name: 'limits',
  summary: 'Sets how much a market, a corridor, a client or a key may send.',
  notes: `SCOPE is market, corridor:US-EG, client:NAME, key:ID, or each:account, each:device, each:address.
Example: risk limits set client:shop --kind transactions --rate-per-second 500 --burst 1000 --reason 'contract of 2026'`,
  document: async () => (await import('./routes.ts')).document,
  actions: {
    list: {
      operation: 'listLimits',
      columns: ['scope', 'kind', 'rate_per_second', 'burst', 'set_by', 'set_at', 'reason'],
    },
    show: { operation: 'readLimits', words },
    set: {
      operation: 'changeLimit',
      summary: 'Set a limit; a raise holds when another person sends the same',
      words,
    },
    remove: {
      operation: 'changeLimit',
      summary: 'Remove a limit; the removal holds when another person sends the same',
      words,
      options: { kind: 'kind', reason: 'reason' },
    },
  },
});
