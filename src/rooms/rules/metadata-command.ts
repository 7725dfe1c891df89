/** `risk metadata …`: which members of the clients' metadata rules may read, over a running API. */
import { commandOf } from '../../kit/command/rows.ts';

export const command = commandOf({
  name: 'metadata',
  summary: "Declares members of the clients' metadata that rules may read.",
  notes: "Example: risk metadata declare tier --type text --description 'basic or gold'",
  document: async () => (await import('./routes.ts')).document,
});
