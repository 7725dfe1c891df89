/** `risk approvals`: decisions of two people, over a running API. */
import { commandOf } from '../../kit/command/rows.ts';

export const command = commandOf({
  name: 'approvals',
  summary: 'Shows, confirms and withdraws what takes two people.',
  notes: `confirm needs in RISK_API_KEY the key of a risk officer other than who proposed it.
Example: risk approvals confirm 12`,
  document: async () => (await import('./routes.ts')).document,
});
