/** `risk corridors …`: how a corridor stands, its checklist, and what figures propose, over a running API. */
import { commandOf } from '../../kit/command/rows.ts';
import { tellControls } from './say.ts';

const words = { ID: 'id' };

export const command = commandOf({
  name: 'corridors',
  summary:
    'Shows how a corridor stands, checks it, adds and sets one, and confirms what figures propose.',
  notes: 'Example: risk corridors show US-EG',
  document: async () => (await import('./routes.ts')).document,
  actions: {
    show: { operation: 'readCorridor', words, tell: tellControls },
    add: { operation: 'addCorridor', words },
    set: { operation: 'configureCorridor', summary: 'Set what may be set for a corridor', words },
    logs: { operation: 'compareLogs', words },
    check: { operation: 'checkCorridor', words },
    proposals: {
      operation: 'listProposals',
      columns: ['id', 'found', 'threshold', 'action', 'rate_per_second', 'hours'],
    },
    confirm: { operation: 'confirmProposal', words: { PROPOSAL: 'id' } },
  },
});
