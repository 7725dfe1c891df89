/** `risk dead-letters …`: lists, shows, groups, replays and purges dead letters over a running API. */
import { setTimeout as wait } from 'node:timers/promises';
import type { AskApi } from '../../kit/client/api-client.ts';
import type { DeadLetterCommand, PurgeResult, ReplayResult } from '../../kit/client/api-types.ts';
import { type CommandContext, EXIT, UsageError } from '../../kit/command/command.ts';
import { type ValuesOf, whole } from '../../kit/command/options.ts';
import { asking, commandOf } from '../../kit/command/rows.ts';

/** Most dead letters that one request marks; the command sends further requests for the rest. */
const REQUEST_ROWS_MAX = 10_000;

const SELECTING = {
  '--error-code ERROR-CODE': 'Only this error code',
  '--corridor CORRIDOR': 'Only this corridor',
  '--all': 'All active ones',
  '--yes': 'It is meant; purge and --all need it',
} as const;
const RATE = {
  '--rate N': whole(
    'Replay at most so many a second (as fast as the API answers)',
    { min: 1, max: REQUEST_ROWS_MAX },
    undefined,
  ),
} as const;
const WORDS = '[ID…]';

/** Reasons for refusing an id that was dealt with before: these are no failures. */
const ALREADY = { replay: 'replayed', purge: 'purged' } as const;

type Change = keyof typeof ALREADY;
type Selected = ValuesOf<typeof SELECTING>;

const change =
  (action: Change) =>
  async (
    {
      values,
      words,
      ask,
    }: { values: Selected & { rate?: number | undefined }; words: readonly string[]; ask: AskApi },
    { output, signal }: CommandContext,
  ): Promise<number> => {
    const selection = { ...toSelection(words, values, action), rate: values.rate };
    const answers = await changeAll(ask, action, selection, signal);
    const sum = (count: (answer: Answer) => number) =>
      answers.reduce((total, answer) => total + count(answer), 0);
    const done = sum(doneBy);
    const refused = answers.flatMap((answer) => answer.refused);
    const appended = sum((answer) => ('appended' in answer ? answer.appended : 0));
    const last = answers.at(-1);
    output.record(
      last !== undefined && 'appended' in last
        ? {
            replayed: done,
            appended,
            left_to_reconciler: done - appended,
            not_replayable: last.not_replayable,
            refused,
          }
        : { purged: done, refused },
    );
    const left = last !== undefined && 'not_replayable' in last ? last.not_replayable : 0;
    if (left > 0) {
      output.error(
        `risk dead-letters: ${left} of the selected cannot be replayed: they are unreadable, or of a detached month, which risk partitions attach brings back`,
      );
    }
    const isRefused = refused.some(({ reason }) => reason !== ALREADY[action]);
    return left > 0 || isRefused ? EXIT.failed : EXIT.fine;
  };

type Answer = ReplayResult | PurgeResult;
const doneBy = (answer: Answer) => ('purged' in answer ? answer.purged : answer.replayed);

/** Repeats the request with the answer's `failed_before` until nothing of the selection remains. */
async function changeAll(
  ask: AskApi,
  action: Change,
  { rate, ...selection }: DeadLetterCommand & { readonly rate: number | undefined },
  signal: AbortSignal,
): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (;;) {
    const failed_before = answers.at(-1)?.failed_before ?? undefined;
    const body = { ...selection, failed_before, limit: rate ?? REQUEST_ROWS_MAX };
    const answer = await ask(`POST /v1/dead-letters/${action}`, { body });
    answers.push(answer);
    // If requests mark nothing and dead letters remain, another operator is working on them.
    if (doneBy(answer) === 0 || answer.remaining === 0) return answers;
    if (rate !== undefined) await wait(1000, undefined, { signal });
  }
}

function toSelection(ids: readonly string[], options: Selected, action: Change): DeadLetterCommand {
  const { corridor, all, 'error-code': error_code } = options;
  const byGroup = error_code !== undefined || corridor !== undefined;
  if ([ids.length > 0, byGroup, all].filter(Boolean).length !== 1) {
    throw new UsageError(`${action} takes ids, or --error-code and/or --corridor, or --all`);
  }
  if ((action === 'purge' || all) && !options.yes) {
    throw new UsageError(`${action}${all ? ' --all' : ''} needs --yes`);
  }
  if (ids.length > 0) return { ids };
  return all ? { all } : { error_code, corridor };
}

export const command = commandOf({
  name: 'dead-letters',
  summary: 'Lists, shows, groups, replays and purges dead letters.',
  notes: `replay and purge take ids, or --error-code and/or --corridor, or --all. Only active dead letters (neither replayed nor purged) are changed,
and only those that failed before the command began.

Example: risk dead-letters replay --error-code SCORING_FAILED --corridor US-EG`,
  document: async () => (await import('./routes.ts')).document,
  actions: {
    list: {
      operation: 'listDeadLetters',
      fields: { active: true },
      flags: { all: { summary: 'Replayed and purged ones, too', fields: { active: undefined } } },
      columns: [
        'dead_letter_id',
        'failed_at',
        'corridor',
        'error_code',
        { field: 'message.transaction_id', title: 'transaction' },
        'replayed_at',
        'purged_at',
      ],
    },
    groups: {
      operation: 'groupDeadLetters',
      columns: [
        'error_code',
        'corridor',
        'dead_letters',
        'unreadable',
        'first_failed_at',
        'last_failed_at',
        { field: 'sample_ids.0', title: 'example' },
        'cure',
      ],
    },
    replay: asking(
      WORDS,
      'Put dead letters back to work',
      { ...SELECTING, ...RATE },
      change('replay'),
    ),
    purge: asking(
      WORDS,
      'Close dead letters; their rows stay for a while',
      SELECTING,
      change('purge'),
    ),
  },
});
