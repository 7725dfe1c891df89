/** `risk dead-letters …`: lists, shows, groups, replays and purges dead letters over a running API. */
import { setTimeout as wait } from 'node:timers/promises';
import type { DeadLetter, DeadLetterCommand, ReplayResult } from '../../kit/client/api-types.ts';
import { type AskApi, readPages } from '../../kit/client/ask.ts';
import { withApi } from '../../kit/command/api-json.ts';
import {
  actionOf,
  type Command,
  type CommandContext,
  EXIT,
  integerOption,
  parseArguments,
  UsageError,
} from '../../kit/command/command.ts';

const LIST_ROWS = 50;
const LIST_ROWS_MAX = 10_000;
const IDS_MAX = 1000;
/** Most dead letters that one request marks; the command sends further requests for the rest. */
const COMMAND_ROWS_MAX = 10_000;

const USAGE = `risk dead-letters ACTION [options]

  list                      newest failure first
  show ID                   one, with its entry
  groups                    active ones by error code and corridor
  replay ID... | SELECTION  puts them back to work
  purge  ID... | SELECTION  closes them; their rows stay for a while

SELECTION is --error-code CODE and/or --corridor C, or --all. Only active ones (neither replayed nor
purged) are touched, and only those that failed before the command began.

  --error-code CODE   only this error
  --corridor C        only this corridor
  --all               every active one; list: also replayed and purged ones
  --limit N           rows of list (${LIST_ROWS})
  --rate N            replay at most so many a second (as fast as the API answers)
  --yes               needed by purge and by --all: it is meant
  --url URL           the API (RISK_URL); its key is read from RISK_API_KEY

Example: risk dead-letters replay --error-code SCORING_FAILED --corridor US-EG
`;

const OPTIONS = {
  'error-code': { type: 'string' },
  corridor: { type: 'string' },
  all: { type: 'boolean' },
  limit: { type: 'string' },
  rate: { type: 'string' },
  yes: { type: 'boolean' },
  url: { type: 'string' },
} as const;

type Options = ReturnType<typeof parseArguments<typeof OPTIONS>>['values'];
type Request = {
  readonly ids: readonly string[];
  readonly options: Options;
  readonly context: CommandContext;
};
type Action = (ask: AskApi, request: Request) => Promise<number>;

const ACTIONS: Readonly<Record<string, Action>> = {
  list: listDeadLetters,
  show: showDeadLetter,
  groups: showGroups,
  replay: (ask, request) => runCommand(ask, request, 'replay'),
  purge: (ask, request) => runCommand(ask, request, 'purge'),
};

export const command: Command = {
  name: 'dead-letters',
  summary: 'Lists, shows, groups, replays and purges dead letters.',
  usage: USAGE,
  run: async (args, context) => {
    const { values, positionals } = parseArguments(args, OPTIONS, {
      required: ['ACTION'],
      max: IDS_MAX + 1,
    });
    const [name = '', ...ids] = positionals;
    const action = actionOf(ACTIONS, name);
    return await withApi(context, values.url, (ask) =>
      action(ask, { ids, options: values, context }),
    );
  },
};

const LIST_COLUMNS = [
  { field: 'dead_letter_id', title: 'dead letter' },
  { field: 'failed_at', title: 'failed at' },
  { field: 'corridor' },
  { field: 'error_code', title: 'error code' },
  { field: 'transaction' },
  { field: 'state' },
];

async function listDeadLetters(ask: AskApi, { ids, options, context }: Request): Promise<number> {
  takesNoId(ids);
  const bounds = { min: 1, max: LIST_ROWS_MAX };
  const wanted = integerOption('--limit', options.limit, bounds, LIST_ROWS);
  const { corridor, 'error-code': error_code } = options;
  const active = options.all === true ? undefined : true;
  const rows = await readPages(wanted, (cursor, limit) =>
    ask('GET /v1/dead-letters', { query: { corridor, error_code, active, limit, cursor } }),
  );
  const shown = context.output.json ? rows : rows.map(toListRow);
  context.output.table(LIST_COLUMNS, shown);
  return EXIT.fine;
}

function toListRow(row: DeadLetter) {
  const closed = row.purged_at !== null ? 'purged' : 'replayed';
  const isActive = row.purged_at === null && row.replayed_at === null;
  return {
    ...row,
    transaction: row.message.transaction_id ?? '(unreadable)',
    state: isActive ? 'active' : closed,
  };
}

async function showDeadLetter(ask: AskApi, { ids, context }: Request): Promise<number> {
  const [id] = ids;
  if (id === undefined || ids.length > 1) throw new UsageError('show takes one id');
  context.output.record(await ask('GET /v1/dead-letters/{id}', { path: { id } }));
  return EXIT.fine;
}

async function showGroups(ask: AskApi, { ids, context }: Request): Promise<number> {
  takesNoId(ids);
  const columns = [
    { field: 'error_code', title: 'error code' },
    { field: 'corridor' },
    { field: 'dead_letters', title: 'dead letters' },
    { field: 'unreadable' },
    { field: 'first_failed_at', title: 'first failed at' },
    { field: 'last_failed_at', title: 'last failed at' },
    { field: 'example' },
  ];
  const { items } = await ask('GET /v1/dead-letters/groups', {});
  const shown = items.map((row) => ({ ...row, example: row.sample_ids[0] }));
  context.output.table(columns, context.output.json ? items : shown);
  return EXIT.fine;
}

type Refused = ReplayResult['refused'][number];

/** Reasons for refusing an id that was dealt with before: these are no failures. */
const ALREADY = { replay: 'replayed', purge: 'purged' } as const;

/** Repeats the request with the answer's `failed_before` until nothing of the selection remains. */
async function runCommand(
  ask: AskApi,
  { ids, options, context }: Request,
  action: 'replay' | 'purge',
): Promise<number> {
  const selection = toSelection(ids, options, action);
  const rate = integerOption('--rate', options.rate, { min: 1, max: COMMAND_ROWS_MAX }, undefined);
  const total = { done: 0, appended: 0, notReplayable: 0 };
  const refused: Refused[] = [];
  let failed_before: string | undefined;
  for (;;) {
    const limit = rate ?? COMMAND_ROWS_MAX;
    const call = { body: { ...selection, failed_before, limit } };
    const answer = await ask(`POST /v1/dead-letters/${action}`, call);
    const done = 'purged' in answer ? answer.purged : answer.replayed;
    total.done += done;
    if ('appended' in answer) {
      total.appended += answer.appended;
      total.notReplayable = answer.not_replayable;
    }
    refused.push(...answer.refused);
    failed_before = answer.failed_before ?? undefined;
    // If requests mark nothing and dead letters remain, another operator is working on them.
    if (done === 0 || answer.remaining === 0) break;
    if (rate !== undefined) await wait(1000, undefined, { signal: context.signal });
  }
  report(context, action, total, refused);
  return refused.some(({ reason }) => reason !== ALREADY[action]) ? EXIT.failed : EXIT.fine;
}

function report(
  { output }: CommandContext,
  action: 'replay' | 'purge',
  total: { done: number; appended: number; notReplayable: number },
  refused: readonly Refused[],
): void {
  const left = total.done - total.appended;
  output.record(
    action === 'replay'
      ? {
          replayed: total.done,
          appended: total.appended,
          left_to_reconciler: left,
          not_replayable: total.notReplayable,
          refused,
        }
      : { purged: total.done, refused },
  );
}

function toSelection(ids: readonly string[], options: Options, action: string): DeadLetterCommand {
  const errorCode = options['error-code'];
  const { corridor } = options;
  const byGroup = errorCode !== undefined || corridor !== undefined;
  const ways = [ids.length > 0, byGroup, options.all === true].filter(Boolean).length;
  if (ways !== 1) {
    throw new UsageError(`${action} takes ids, or --error-code and/or --corridor, or --all`);
  }
  if ((action === 'purge' || options.all === true) && options.yes !== true) {
    throw new UsageError(`${action}${options.all === true ? ' --all' : ''} needs --yes`);
  }
  if (ids.length > 0) return { ids };
  return options.all === true ? { all: true } : { error_code: errorCode, corridor };
}

function takesNoId(ids: readonly string[]): void {
  if (ids.length > 0) throw new UsageError(`unexpected argument '${ids[0] ?? ''}'`);
}
