/** `risk degradation …`: shows and sets levels of degradation over a running API. */
import { readOnlyScope, type StopJson } from '../../core/domain/switch.ts';
import { commandOf } from '../../kit/command/rows.ts';
import { tellStops } from './say.ts';

const words = { SCOPE: 'scope' };

type Answer = { readonly scope?: string; readonly by_hand?: StopJson | null };

/** How a level that was set by hand ends. */
function sayEnd({ scope = '', by_hand: stop = null }: Answer): string | undefined {
  if (stop === null) return undefined;
  const isOwn = stop.scope === readOnlyScope(scope) && scope !== 'market';
  const who = isOwn ? 'Any operator' : 'Another person, with the role risk_officer or admin,';
  const at = isOwn ? scope : 'market';
  return `${who} ends the level: bin/risk degradation set ${at} --level 0 --reason '…'`;
}

export const command = commandOf({
  name: 'degradation',
  summary: 'Shows how degraded the market and its corridors are, and sets levels by hand.',
  notes: `SCOPE is market or corridor:US-EG. Level 3 is read-only, 4 turns every flag off, 0 ends both.
Example: risk degradation set market --level 3 --reason 'the disks are replaced'`,
  document: async () => (await import('./routes.ts')).document,
  actions: {
    list: {
      operation: 'listDegradation',
      columns: ['scope', 'level', 'causes', 'sentence', { field: 'by_hand', title: 'set by hand' }],
      tell: tellStops,
    },
    set: { operation: 'changeDegradation', words, tell: tellStops, notes: sayEnd },
  },
});
