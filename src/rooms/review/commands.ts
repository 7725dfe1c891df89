/** `risk review …`: lists, claims and decides review cases over a running API, and says how the review stands. */
import { readDataFile } from '../../kit/command/data-file.ts';
import { commandOf } from '../../kit/command/rows.ts';

/** The API bounds its size by deadlines and queues; a larger file is no policy. */
const POLICY_BYTES_MAX = 1024 * 1024;

export const command = commandOf({
  name: 'review',
  summary: 'Lists, claims and decides review cases.',
  notes: `Example: risk review decide 01a1f84a-95c0-7000-8000-00000000002a fraud --reason 'stolen card'`,
  document: async () => (await import('./api.ts')).document,
  actions: {
    list: {
      operation: 'listCases',
      columns: [
        'transaction_id',
        'priority',
        'due_at',
        'state',
        'corridor',
        'amount',
        'currency',
        'score',
        { field: 'locked_by', title: 'claimed by' },
        'assignee',
      ],
    },
    next: { operation: 'claimNextCase', shows: 'case', says: 'No case waits.' },
    show: { operation: 'readCase' },
    open: { operation: 'openCase', words: { ID: 'transaction_id' } },
    decide: {
      operation: 'decideCase',
      summary: 'Decide a claimed case; it can be undone until the decision is final',
      words: { DISPOSITION: 'disposition' },
    },
    note: { operation: 'addNote', words: { TEXT: 'note' } },
    status: { operation: 'readReviewStatus' },
    capacity: {
      operation: 'readReviewCapacity',
      options: { transactions: 'transactions_per_day', 'auto-clear': 'auto_clear_ratio' },
      notes: ({ hire, unknown }) =>
        hire === null
          ? `hire is unknown, as too little of seven days tells ${[unknown].flat().join(', ')}: give them as options`
          : undefined,
    },
    policy: { operation: 'readReviewPolicy', shows: 'policy', isFile: true },
    'set-policy': {
      operation: 'changeReviewPolicy',
      summary: 'Put a policy in force; FILE is JSON or YAML, as policy prints it',
      words: { FILE: (path) => readDataFile(path, POLICY_BYTES_MAX) },
    },
  },
});
