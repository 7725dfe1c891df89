/** `risk metadata …`: which members of the clients' metadata rules may read, over a running API. */
import { commandOf } from '../../kit/command/rows.ts';

const words = { NAME: 'name' };

export const command = commandOf({
  name: 'metadata',
  summary: "Declares members of the clients' metadata that rules may read.",
  notes: "Example: risk metadata declare tier --type text --description 'basic or gold'",
  document: async () => (await import('./routes.ts')).document,
  actions: {
    list: {
      operation: 'listMetadataFields',
      columns: ['name', 'type', 'declared_by', 'declared_at', 'description'],
    },
    declare: { operation: 'declareMetadataField', words },
    withdraw: { operation: 'withdrawMetadataField', words },
  },
});
