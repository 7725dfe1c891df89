/** `risk privacy …`: personal fields, clear values and erasures, over a running API. */
import { commandOf } from '../../kit/command/rows.ts';

export const command = commandOf({
  name: 'privacy',
  summary: 'Declares personal fields, reads what a token stands for, and erases it.',
  notes:
    "Example: risk privacy erase --field account_id --value acc_17 --reason 'request 2026-117'",
  document: async () => (await import('./routes.ts')).document,
  actions: {
    fields: { operation: 'listPersonalFields', columns: ['field', 'declared_by', 'declared_at'] },
    declare: { operation: 'declarePersonalField', words: { FIELD: 'field' } },
    read: { operation: 'readSubject', words: { TOKEN: 'token' } },
    erase: {
      operation: 'eraseSubject',
      mustBeMeant: () => 'an erasure cannot be undone: add --yes',
    },
  },
});
