/** `risk review …`: lists, claims and decides review cases over a running API. */
import { type AskApi, readPages } from '../client/ask.ts';
import { CASE_STATES, DISPOSITIONS } from '../domain/review-case.ts';
import { priorityNames } from '../domain/review-policy.ts';
import { type ActionRequest, type ApiAction, runApiAction } from './api-action.ts';
import {
  type Command,
  EXIT,
  integerOption,
  parseArguments,
  UsageError,
  wordOption,
} from './command.ts';

const LIST_ROWS = 50;
const LIST_ROWS_MAX = 10_000;

const OPTIONS = {
  priority: { type: 'string' },
  corridor: { type: 'string' },
  state: { type: 'string' },
  assignee: { type: 'string' },
  reason: { type: 'string' },
  limit: { type: 'string' },
  url: { type: 'string' },
} as const;

type Options = ReturnType<typeof parseArguments<typeof OPTIONS>>['values'];
type Action = ApiAction<Options>;
type Request = ActionRequest<Options>;

const ACTIONS: Readonly<Record<string, Action>> = {
  list: { words: [], run: list },
  next: { words: [], run: next },
  ...{ show: onCase('show'), claim: onCase('claim'), release: onCase('release') },
  ...{ confirm: onCase('confirm'), undo: onCase('undo') },
  decide: { words: ['ID', 'DISPOSITION'], run: decide },
};

export const command: Command = {
  name: 'review',
  summary: 'Lists, claims and decides review cases.',
  usage: `risk review ACTION [options]

  list                     cases, the most urgent first
  next                     claims the most urgent case
  show ID                  one case with notes and history
  claim ID | release ID    takes a case, or gives it back
  decide ID DISPOSITION    ${DISPOSITIONS.join(', ')}; can be undone for 10 s
  undo ID                  takes a decision back before it is final
  confirm ID               confirms another person's decision (risk_officer)

  --priority P   only this priority (${priorityNames.join(', ')})
  --corridor C   only this corridor
  --state S      list: only this state (${CASE_STATES.join(', ')}); all but closed ones
  --assignee A   list: only cases assigned to this person
  --reason TEXT  why; needed by decide
  --limit N      rows of list (${LIST_ROWS})
  --url URL      the API (RISK_URL); its key is read from RISK_API_KEY

Example: risk review decide 01a1f84a-95c0-7000-8000-00000000002a fraud --reason 'stolen card'
`,
  run: async (args, context) => {
    const parsed = parseArguments(args, OPTIONS, { required: ['ACTION'], max: 3 });
    return await runApiAction(ACTIONS, parsed, context);
  },
};

const LIST_COLUMNS = [
  ...[{ field: 'transaction_id', title: 'transaction' }, { field: 'priority' }],
  ...[{ field: 'due_at', title: 'due at' }, { field: 'state' }, { field: 'corridor' }],
  ...[{ field: 'amount' }, { field: 'currency' }, { field: 'score' }],
  ...[{ field: 'locked_by', title: 'claimed by' }, { field: 'assignee' }],
];

const filterOf = ({ priority, corridor }: Options) => ({
  corridor,
  priority: wordOption('--priority', priority, priorityNames),
});

async function list(ask: AskApi, { options, context }: Request): Promise<number> {
  const state = wordOption('--state', options.state, CASE_STATES);
  const bounds = { min: 1, max: LIST_ROWS_MAX };
  const wanted = integerOption('--limit', options.limit, bounds, LIST_ROWS);
  const query = { ...filterOf(options), state, assignee: options.assignee };
  const rows = await readPages(wanted, (cursor, limit) =>
    ask('GET /v1/reviews', { query: { ...query, limit, cursor } }),
  );
  context.output.table(LIST_COLUMNS, rows);
  return EXIT.fine;
}

async function next(ask: AskApi, { options, context }: Request): Promise<number> {
  const body = Object.fromEntries(
    Object.entries(filterOf(options)).filter(([, value]) => value !== undefined),
  );
  const claimed = await ask('POST /v1/reviews/next', { body });
  if (claimed.case === null) context.output.value({ case: null }, ['no case waits']);
  else context.output.record(claimed.case);
  return EXIT.fine;
}

function onCase(step: 'show' | 'claim' | 'release' | 'confirm' | 'undo'): Action {
  const run: Action['run'] = async (ask, { words: [id = ''], context }) => {
    const path = { id };
    const one =
      step === 'show'
        ? await ask('GET /v1/reviews/{id}', { path })
        : await ask(`POST /v1/reviews/{id}/${step}`, { path });
    context.output.record(one);
    return EXIT.fine;
  };
  return { words: ['ID'], run };
}

async function decide(ask: AskApi, { words, options, context }: Request): Promise<number> {
  const [id = '', word = ''] = words;
  const disposition = wordOption('DISPOSITION', word, DISPOSITIONS);
  const { reason } = options;
  if (reason === undefined) throw new UsageError('--reason is missing');
  const body = { disposition, reason };
  context.output.record(await ask('POST /v1/reviews/{id}/decide', { path: { id }, body }));
  return EXIT.fine;
}
