/** `risk holds …`: sets and lifts legal holds over a running API. */
import { commandOf } from '../../kit/command/rows.ts';

export const command = commandOf({
  name: 'holds',
  summary: 'Sets and lifts legal holds, which keep a market, a month or an account from removal.',
  notes: `KIND is market, month or account.

Example: risk holds set month --subject 2026-03 --reason 'order of the court, 17 C 204/26'
Example: risk holds lift 7 --reason 'the case is closed'`,
  document: async () => (await import('./routes.ts')).document,
  actions: { set: { operation: 'setHold', words: { KIND: 'kind' } } },
});
