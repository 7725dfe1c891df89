/** `risk corridors …`: how a corridor stands, and freezing it, over a running API. */
import { commandOf } from '../../kit/command/rows.ts';

const words = { ID: 'id' };

export const command = commandOf({
  name: 'corridors',
  summary: 'Shows how a corridor stands, freezes it and lets it go on.',
  notes: "Example: risk corridors freeze US-EG --reason 'a wave of stolen cards'",
  document: async () => (await import('./routes.ts')).document,
  actions: {
    show: { operation: 'readCorridor', words },
    freeze: { operation: 'freezeCorridor', words },
    resume: { operation: 'resumeCorridor', words },
  },
});
