/** `risk flags …`: turns optional capabilities off and on over a running API. */
import { commandOf } from '../../kit/command/rows.ts';
import { tellStops } from './say.ts';

const words = { NAME: 'name' };

export const command = commandOf({
  name: 'flags',
  summary: 'Turns optional capabilities off and on.',
  notes: "Example: risk flags off exports --reason 'the disks are busy'",
  document: async () => (await import('./routes.ts')).document,
  actions: {
    list: { operation: 'listFlags', columns: ['name', 'enabled', 'description'] },
    off: {
      operation: 'changeFlag',
      summary: 'Turn a capability off in every process of the market',
      words,
      fields: { enabled: false },
      tell: tellStops,
    },
    on: {
      operation: 'changeFlag',
      summary: 'Turn a capability on again',
      words,
      fields: { enabled: true },
      tell: tellStops,
      options: { reason: 'reason' },
    },
  },
});
