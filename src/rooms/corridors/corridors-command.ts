/** `risk corridors …`: how a corridor stands, its checklist, and what figures propose, over a running API. */
import { commandOf } from '../../kit/command/rows.ts';
import { tellControls } from './say.ts';

type Added = {
  readonly corridor?: string;
  readonly is_added?: boolean;
  readonly proposed_by?: string;
};
const sayAddition = ({ corridor, is_added, proposed_by }: Added) =>
  is_added === false
    ? `The corridor, which ${proposed_by} proposes, is added when another risk_officer or admin sends bin/risk corridors add ${corridor} --reason '…'`
    : undefined;

export const command = commandOf({
  name: 'corridors',
  summary: 'Shows how a corridor stands, checks it, adds and sets one, and confirms proposals.',
  notes: 'Example: risk corridors show US-EG',
  document: async () => (await import('./routes.ts')).document,
  actions: {
    show: { operation: 'readCorridor', tell: tellControls },
    add: {
      operation: 'addCorridor',
      summary: 'Add a corridor; the market has it when another person sends the same',
      words: { CORRIDOR: 'id' },
      notes: sayAddition,
    },
    set: { operation: 'configureCorridor', summary: 'Set what may be set for a corridor' },
    logs: { operation: 'compareLogs' },
    check: { operation: 'checkCorridor' },
    proposals: {
      operation: 'listProposals',
      columns: ['id', 'found', 'threshold', 'action', 'rate_per_second', 'hours'],
    },
    confirm: { operation: 'confirmProposal' },
  },
});
