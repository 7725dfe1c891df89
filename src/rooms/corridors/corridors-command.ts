/** `risk corridors …`: how a corridor stands, its checklist, and freezing it, over a running API. */
import { commandOf } from '../../kit/command/rows.ts';

export const FREEZE_COLUMNS = [
  'frozen_at',
  'frozen_by',
  'reason',
  'resumed_at',
  'resumed_by',
  'resume_reason',
  'notes',
];

const words = { ID: 'id' };

export const command = commandOf({
  name: 'corridors',
  summary: 'Shows how a corridor stands, checks it, freezes it and lets it go on.',
  notes: "Example: risk corridors freeze US-EG --reason 'a wave of stolen cards'",
  document: async () => (await import('./routes.ts')).document,
  actions: {
    show: { operation: 'readCorridor', words },
    add: {
      operation: 'addCorridor',
      summary: 'Add a corridor; the market has it when another person sends the same',
      words,
    },
    set: { operation: 'configureCorridor', summary: 'Set what may be set for a corridor', words },
    check: { operation: 'checkCorridor', words },
    freeze: { operation: 'freezeCorridor', words },
    resume: { operation: 'resumeCorridor', words },
    tighten: {
      operation: 'tightenCorridor',
      summary: 'Lower the thresholds of review and decline for a time',
      words: { ...words, POINTS: 'points' },
    },
    manual: {
      operation: 'reviewByHand',
      summary: 'Review amounts from one on for a time',
      words: { ...words, AMOUNT: 'from_amount' },
    },
    proposals: {
      operation: 'listProposals',
      columns: ['id', 'found', 'threshold', 'action', 'hours'],
    },
    confirm: { operation: 'confirmProposal', words: { PROPOSAL: 'id' } },
    note: { operation: 'noteCorridor', words: { ...words, TEXT: 'note' } },
    freezes: { operation: 'listCorridorFreezes', words, columns: FREEZE_COLUMNS },
  },
});
