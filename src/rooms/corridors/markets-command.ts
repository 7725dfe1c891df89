/** `risk markets …`: how a market stands, and freezing it, over a running API. */
import { commandOf } from '../../kit/command/rows.ts';

const words = { ID: 'id' };

export const command = commandOf({
  name: 'markets',
  summary: 'Shows how a market stands, freezes it and lets it go on.',
  notes: "Example: risk markets freeze market_0 --reason 'a wave of stolen cards'",
  document: async () => (await import('./routes.ts')).document,
  actions: {
    show: { operation: 'readMarket', words },
    freeze: { operation: 'freezeMarket', words },
    resume: { operation: 'resumeMarket', words },
  },
});
