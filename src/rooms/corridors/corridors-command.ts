/** `risk corridors …`: how a corridor stands, its checklist, and what figures suggest, over a running API. */
import { commandOf } from '../../kit/command/rows.ts';
import { tellControls } from './say.ts';

export const command = commandOf({
  name: 'corridors',
  summary:
    'Shows how a corridor stands, checks it, adds and sets one, and applies what figures suggest.',
  notes: 'Example: risk corridors show US-EG',
  document: async () => (await import('./routes.ts')).document,
  actions: {
    show: { operation: 'readCorridor', tell: tellControls },
    add: { operation: 'addCorridor', words: { CORRIDOR: 'id' } },
    set: { operation: 'configureCorridor', summary: 'Set what may be set for a corridor' },
    logs: { operation: 'compareLogs' },
    check: { operation: 'checkCorridor' },
    suggestions: {
      operation: 'listSuggestions',
      columns: ['id', 'found', 'threshold', 'action', 'rate_per_second', 'hours'],
    },
    apply: { operation: 'applySuggestion' },
  },
});
