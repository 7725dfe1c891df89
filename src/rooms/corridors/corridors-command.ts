/** `risk corridors …`: how a corridor stands, its checklist, and freezing it, over a running API. */
import { commandOf } from '../../kit/command/rows.ts';
import { tellStops } from './say.ts';

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

/** Tells the person who froze how the freeze ends. */
export function sayResume({ scope = '' }: { readonly scope?: string }): string {
  const [, corridor] = /^corridor:(.*)$/.exec(scope) ?? [];
  const resume = corridor === undefined ? 'markets resume ID' : `corridors resume ${corridor}`;
  return `Another person, with the role risk_officer or admin, ends the freeze: bin/risk ${resume} --reason '…'`;
}

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
  summary: 'Shows how a corridor stands, checks it, freezes it and lets it go on.',
  notes: "Example: risk corridors freeze US-EG --reason 'a wave of stolen cards'",
  document: async () => (await import('./routes.ts')).document,
  actions: {
    show: { operation: 'readCorridor', words, tell: tellStops },
    add: {
      operation: 'addCorridor',
      summary: 'Add a corridor; the market has it when another person sends the same',
      words,
      notes: sayAddition,
    },
    set: { operation: 'configureCorridor', summary: 'Set what may be set for a corridor', words },
    logs: { operation: 'compareLogs', words },
    check: { operation: 'checkCorridor', words },
    freeze: { operation: 'freezeCorridor', words, notes: sayResume, tell: tellStops },
    resume: { operation: 'resumeCorridor', words, tell: tellStops },
    tighten: {
      operation: 'tightenCorridor',
      summary: 'Lower the thresholds of review and decline for a time',
      words: { ...words, POINTS: 'points' },
      tell: tellStops,
    },
    manual: {
      operation: 'reviewByHand',
      summary: 'Review amounts from one in the currency of the market on, for a time',
      words: { ...words, AMOUNT: 'from_amount' },
      tell: tellStops,
    },
    proposals: {
      operation: 'listProposals',
      columns: ['id', 'found', 'threshold', 'action', 'rate_per_second', 'hours'],
    },
    confirm: { operation: 'confirmProposal', words: { PROPOSAL: 'id' } },
    note: { operation: 'noteCorridor', words: { ...words, TEXT: 'note' } },
    freezes: { operation: 'listCorridorFreezes', words, columns: FREEZE_COLUMNS },
  },
});
