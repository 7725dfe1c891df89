/** `risk switch …`: stops a scope and starts it again over a running API. */
import { commandOf } from '../../kit/command/rows.ts';

const words = { SCOPE: 'scope' };

export const command = commandOf({
  name: 'switch',
  summary: 'Stops a market, a corridor or a client, and starts it again.',
  notes: `SCOPE is all, market, corridor:US-EG or client:NAME.
Example: risk switch stop corridor:US-EG --reason 'payouts fail at the bank'`,
  document: async () => (await import('./routes.ts')).document,
  actions: {
    list: { operation: 'listSwitches' },
    show: { operation: 'readSwitch', words },
    stop: {
      operation: 'changeSwitch',
      summary: 'Stop a scope: nothing of it is accepted or scored from the answer on',
      words,
      fields: { stopped: true },
    },
    start: {
      operation: 'changeSwitch',
      summary: 'Start a scope again: what waits is scored',
      words,
      fields: { stopped: false },
    },
  },
});
