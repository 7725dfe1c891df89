/** `risk degradation …`: shows and sets levels of degradation over a running API. */
import { commandOf } from '../../kit/command/rows.ts';

const words = { SCOPE: 'scope' };

export const command = commandOf({
  name: 'degradation',
  summary: 'Shows how degraded the market and its corridors are, and sets levels by hand.',
  notes: `SCOPE is market or corridor:US-EG. Level 3 is read-only, 4 turns every flag off, 0 ends both.
Example: risk degradation set market --level 3 --reason 'the disks are replaced'`,
  document: async () => (await import('./routes.ts')).document,
  actions: {
    list: { operation: 'listDegradation', columns: ['scope', 'level', 'causes', 'sentence'] },
    set: { operation: 'changeDegradation', words },
  },
});
