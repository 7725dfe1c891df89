/** `risk audit`: who changed what, over a running API. */
import { commandOf } from '../../kit/command/rows.ts';

export const command = commandOf({
  name: 'audit',
  summary: 'Shows who changed what.',
  notes: `It takes the key of an admin or a risk officer; --json adds the state before and after each change.

Example: risk audit --action rollout.approve --json`,
  document: async () => (await import('./routes.ts')).document,
  actions: { '': { operation: 'readAudit' } },
});
