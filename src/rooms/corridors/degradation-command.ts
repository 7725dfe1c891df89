/** `risk degradation …`: shows levels of degradation over a running API. */
import { commandOf } from '../../kit/command/rows.ts';
import { tellControls } from './say.ts';

export const command = commandOf({
  name: 'degradation',
  summary: 'Shows how degraded the market and its corridors are.',
  notes: `People set level 3 by risk controls set read-only, and level 4 by risk controls set emergency.
Example: risk degradation list`,
  document: async () => (await import('./routes.ts')).document,
  actions: {
    list: {
      operation: 'listDegradation',
      columns: ['scope', 'level', 'causes', 'sentence', { field: 'by_hand', title: 'set by hand' }],
      tell: tellControls,
    },
  },
});
