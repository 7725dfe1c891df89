/** `risk review …`: lists, claims and decides review cases over a running API, and says how the review stands. */
import { DISPOSITIONS } from '../../core/domain/disposition.ts';
import { type AskApi, readPages } from '../../kit/client/ask.ts';
import { runApiAction } from '../../kit/command/api-action.ts';
import {
  type Command,
  EXIT,
  integerOption,
  parseArguments,
  wordOption,
} from '../../kit/command/command.ts';
import { FIGURES } from './commands/figures.ts';
import { type Action, OPTIONS, type Options, type Request } from './commands/request.ts';
import { STEPS } from './commands/steps.ts';
import { CASE_LIMITS, CASE_STATES } from './review-case.ts';
import { priorityNames } from './review-policy.ts';

const LIST_ROWS = 50;
const LIST_ROWS_MAX = 10_000;
/** The action and its words. */
const WORDS_MAX = 4;

const ACTIONS: Readonly<Record<string, Action>> = {
  list: { words: [], run: list },
  next: { words: [], run: next },
  ...STEPS,
  ...FIGURES,
};

export const command: Command = {
  name: 'review',
  summary: 'Lists, claims and decides review cases.',
  usage: `risk review ACTION [options]

  list                        cases, the most urgent first
  next                        claims the most urgent case
  show ID                     one case with notes and history
  open ID                     opens a case of a transaction by hand
  claim ID | release ID       takes a case, or gives it back
  lock ID                     keeps a claimed case for longer
  decide ID DISPOSITION       ${DISPOSITIONS.join(', ')}; can be undone for 10 s
  undo ID                     takes a decision back before it is final
  note ID TEXT                writes a note
  attach ID FILE              attaches a file of at most ${CASE_LIMITS.fileBytes / 1024} KiB
  escalate ID                 leaves a claimed case to a risk officer
  ring PARTY ID DISPOSITION   decides all open cases of an account, merchant or device, ${CASE_LIMITS.ringCases} at most
  confirm ID | return ID      confirms another person's decision, or refuses to (risk_officer)
  assign ID                   assigns a case to --assignee, or to nobody (risk_officer)
  status                      what waits, what will be late, and overflow rules that are met
  capacity                    how many officers the reviews take
  policy                      the policy in force
  set-policy FILE             puts a policy in force (risk_officer); FILE is JSON, as policy prints it

  --priority P          list, next: only this priority (${priorityNames.join(', ')})
  --corridor C          list, next: only this corridor
  --state S             list: only this state (${CASE_STATES.join(', ')}); all but closed ones
  --assignee A          list: only cases assigned to this person; assign: to whom
  --reason TEXT         why; needed by decide, ring, escalate and return
  --note TEXT           open: a note
  --officers N          capacity: people who review; those of the last 7 days
  --transactions N      capacity: transactions a day; as measured over 7 days
  --auto-clear R        capacity: share of them without a review, as 0.7; as measured
  --reviews-per-hour N  capacity: of one officer; as measured
  --growth G            capacity: growth of the transactions in a month, as 0.1; shows a year
  --limit N             rows of list (${LIST_ROWS})
  --url URL             the API (RISK_URL); its key is read from RISK_API_KEY

Example: risk review decide 01a1f84a-95c0-7000-8000-00000000002a fraud --reason 'stolen card'
`,
  run: async (args, context) => {
    const parsed = parseArguments(args, OPTIONS, { required: ['ACTION'], max: WORDS_MAX });
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
