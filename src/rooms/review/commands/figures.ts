/** How the review stands, by command: what waits and will be late, how many officers it takes, and the policy. */
import { readFile } from 'node:fs/promises';
import type { ReviewPolicy } from '../../../kit/client/api-types.ts';
import type { AskApi } from '../../../kit/client/ask.ts';
import { EXIT } from '../../../kit/command/command.ts';
import { type Column, formatTable } from '../../../kit/command/output.ts';
import { Failure } from '../../../kit/words/failure.ts';
import type { Action, Request } from './request.ts';

export const FIGURES: Readonly<Record<string, Action>> = {
  status: { words: [], run: status },
  capacity: { words: [], run: capacity },
  policy: { words: [], run: policy },
  'set-policy': { words: ['FILE'], run: setPolicy },
};

const WAITING: readonly Column[] = [
  ...[{ field: 'priority' }, { field: 'corridor' }, { field: 'waiting' }, { field: 'claimed' }],
  ...[{ field: 'missed' }, { field: 'near' }, { field: 'age_seconds', title: 'mean age s' }],
];
const FORECAST: readonly Column[] = [
  ...[{ field: 'priority' }, { field: 'waiting', title: 'open' }, { field: 'missed' }],
  ...[
    { field: 'will_miss', title: 'will miss' },
    { field: 'empty_seconds', title: 'empty in s' },
  ],
];
const OVERFLOW: readonly Column[] = [
  ...[{ field: 'priority' }, { field: 'older_than_minutes', title: 'older than min' }],
  ...[{ field: 'cases' }, { field: 'actions' }],
];

async function status(ask: AskApi, { context: { output } }: Request): Promise<number> {
  const found = await ask('GET /v1/reviews/status', {});
  const { officers_at_work: officers, utilisation } = found;
  const met = found.overflow.map((rule) => ({ ...rule, actions: rule.actions.join(' ') }));
  output.value(found, [
    ...['waiting', ...formatTable(WAITING, found.waiting)],
    ...['', 'forecast of open cases', ...formatTable(FORECAST, found.forecast)],
    ...['', 'overflow rules that are met', ...formatTable(OVERFLOW, met)],
    ...['', `officers at work ${officers}, utilisation ${utilisation ?? '-'}`],
  ]);
  return EXIT.fine;
}

const PROJECTION: readonly Column[] = [
  ...[{ field: 'month' }, { field: 'transactions_per_day', title: 'transactions a day' }],
  ...[{ field: 'reviews_per_day', title: 'reviews a day' }],
  ...[
    { field: 'officers_min', title: 'at least' },
    { field: 'officers_to_hire', title: 'hire to' },
  ],
];

/** The API says what a number may be. */
async function capacity(ask: AskApi, { options, context: { output } }: Request): Promise<number> {
  const number = (text: string | undefined) => (text === undefined ? undefined : Number(text));
  const query = {
    officers: number(options.officers),
    transactions_per_day: number(options.transactions),
    auto_clear_ratio: number(options['auto-clear']),
    reviews_per_hour: number(options['reviews-per-hour']),
    growth: number(options.growth),
  };
  const found = await ask('GET /v1/reviews/capacity', { query });
  const { projection, ...now } = found;
  output.value(found, [
    ...Object.entries(now).map(([name, value]) => `${name.padEnd(24)} ${value ?? '-'}`),
    ...(query.growth === undefined ? [] : ['', ...formatTable(PROJECTION, projection)]),
  ]);
  return EXIT.fine;
}

async function policy(ask: AskApi, { context: { output } }: Request): Promise<number> {
  const stored = await ask('GET /v1/reviews/policy', {});
  output.value(stored.policy, [JSON.stringify(stored.policy, null, 2)]);
  return EXIT.fine;
}

async function setPolicy(ask: AskApi, { words, context: { output } }: Request): Promise<number> {
  const body = await readPolicy(words[0] ?? '');
  const { version, made_by: by } = await ask('POST /v1/reviews/policy', { body });
  output.value({ version }, [`version ${version} is in force, made by ${by}`]);
  return EXIT.fine;
}

/** The API checks its fields. */
async function readPolicy(path: string): Promise<ReviewPolicy> {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Failure('invalid', 'POLICY_INVALID', `${path}: ${why}`, { cause: error });
  }
}
