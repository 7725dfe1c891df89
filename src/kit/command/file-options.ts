/** Commands that post a file to the API: their options, and what a person sees of them. */
import { type ApiOptions, createApiClient, notTheContract } from '../client/api-client.ts';
import type { AcceptedLabels } from '../client/api-types.ts';
import {
  type Posted,
  type PostOptions,
  postFile,
  REFUSED_SHOWN_MAX,
  type RowsRoute,
} from '../client/post-file.ts';
import type { Mapping, SourceFile } from '../client/rows.ts';
import { apiOf } from './api.ts';
import { type CommandContext, integerOption, UsageError } from './command.ts';
import type { Output } from './output.ts';

/** Rows of a request, unless `--batch` says fewer. */
export const BATCH_ROWS_MAX = 1_000;
const CONNECTIONS_MAX = 64;
const ROWS_PER_SECOND_MAX = 1_000_000;
const TEXT = { type: 'string' } as const;
const TEXTS = { type: 'string', multiple: true } as const;

/** Options that each of these commands takes, for `parseArguments`. */
export const FILE_OPTIONS = {
  map: TEXTS,
  set: TEXTS,
  batch: TEXT,
  connections: TEXT,
  rate: TEXT,
  url: TEXT,
  'ids-as-they-are': { type: 'boolean' },
} as const;

/** For each command that reads ids. */
export const IDS_OPTION = {
  '--ids-as-they-are':
    'Take ids such as 4.11111E+15 and nan, which spreadsheets and data frames make',
} as const;

/** Effect of each option, for the usage. */
export const fileOptionTexts = (connections: number) => ({
  '--map FIELD=COLUMN,...': 'Columns that have another name in the file',
  '--set FIELD=VALUE,...': 'Fields that are the same in every row',
  '--batch N': `Rows a request, 1 to ${BATCH_ROWS_MAX} (${BATCH_ROWS_MAX})`,
  '--connections N': `Requests at a time, 1 to ${CONNECTIONS_MAX} (${connections})`,
  '--rate N': 'At most so many rows a second (as fast as the API answers)',
  ...IDS_OPTION,
});

type FileValues = {
  readonly [name in 'batch' | 'connections' | 'rate' | 'url']?: string | undefined;
} & { readonly [name in 'map' | 'set']?: string[] | undefined } & {
  readonly 'ids-as-they-are'?: boolean | undefined;
};

export type FileSettings<F extends string> = Pick<
  PostOptions,
  'batchRows' | 'connections' | 'rowsPerSecond'
> &
  Omit<ApiOptions, 'signal'> & {
    readonly files: readonly string[];
    readonly mapping: Mapping<F>;
  };

/** @param fields those that `--map` and `--set` may name */
export function fileOptions<F extends string>(
  files: readonly string[],
  values: FileValues,
  context: Pick<CommandContext, 'config' | 'output'>,
  fields: readonly F[],
  connections: number,
): FileSettings<F> {
  const integer = <D>(name: 'batch' | 'connections' | 'rate', max: number, byDefault: D) =>
    integerOption(`--${name}`, values[name], { min: 1, max }, byDefault);
  return {
    files,
    mapping: {
      columns: assignmentsOption('--map', values.map, fields),
      constants: assignmentsOption('--set', values.set, fields),
      idsAsTheyAre: values['ids-as-they-are'] ?? false,
    },
    ...apiOf(values.url, context),
    batchRows: integer('batch', BATCH_ROWS_MAX, BATCH_ROWS_MAX),
    connections: integer('connections', CONNECTIONS_MAX, connections),
    rowsPerSecond: integer('rate', ROWS_PER_SECOND_MAX, null),
  };
}

/** `FIELD=COLUMN,...` and `FIELD=VALUE,...`, however often they are given. */
export function assignmentsOption<F extends string>(
  flag: string,
  texts: readonly string[] = [],
  fields: readonly F[],
): Partial<Record<F, string>> {
  const assignments: Partial<Record<F, string>> = {};
  for (const part of texts.flatMap((text) => text.split(','))) {
    const at = part.indexOf('=');
    const field = fields.find((known) => known === part.slice(0, at).trim());
    if (field === undefined || at + 1 >= part.length) {
      const known = `with a field of ${fields.join(', ')}`;
      throw new UsageError(`${flag} takes FIELD=..., ${known}, not '${part}'`);
    }
    if (field in assignments) throw new UsageError(`${flag} names ${field} twice`);
    assignments[field] = part.slice(at + 1).trim();
  }
  return assignments;
}

const UNIT_MS = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000 } as const;

/** Milliseconds from `created_at` to `labelled_at`; null where the file has `labelled_at`. */
export function labelledAfterOption(
  text: string | undefined,
  { columns, constants }: Mapping<'labelled_at'>,
): number | null {
  if (text === undefined) return null;
  if ('labelled_at' in columns || 'labelled_at' in constants) {
    throw new UsageError('--labelled-after makes labelled_at: it cannot be mapped or set as well');
  }
  const [, count, unit = ''] = /^(\d{1,5})([dhms])$/.exec(text) ?? [];
  const unitMs = Object.entries(UNIT_MS).find(([name]) => name === unit)?.[1];
  if (unitMs !== undefined) return Number(count) * unitMs;
  throw new UsageError(`--labelled-after must be a number and d, h, m or s, as 7d, not '${text}'`);
}

/** The route of labels, and what the API did with them. */
export function createLabelsRoute() {
  const sum = { accepted: 0, unchanged: 0 };
  const route: RowsRoute = {
    path: '/v1/labels',
    member: 'labels',
    accepted: ({ accepted = 0, unchanged = 0 }: Partial<AcceptedLabels>, rows) => {
      if (accepted + unchanged !== rows) throw notTheContract();
      sum.accepted += accepted;
      sum.unchanged += unchanged;
    },
  };
  return { sum, route };
}

export const labelsText = ({
  accepted,
  unchanged,
}: Pick<AcceptedLabels, 'accepted' | 'unchanged'>) =>
  `labels accepted=${accepted} unchanged=${unchanged}`;

/** Posts the rows, and shows how far it is. */
export async function postWithProgress(
  settings: Omit<FileSettings<string>, 'files' | 'mapping'> & Pick<PostOptions, 'outageMsMax'>,
  source: SourceFile,
  route: RowsRoute,
  { output, signal }: Pick<CommandContext, 'output' | 'signal'>,
  posted: Posted,
): Promise<Posted> {
  const client = createApiClient({ ...settings, signal });
  const startedMs = performance.now();
  const options: PostOptions = {
    ...settings,
    signal,
    onProgress: (rows) => {
      const percent = Math.floor(100 * source.shareRead());
      const seconds = Math.max(0.001, (performance.now() - startedMs) / 1000);
      const rate = Math.round(rows / seconds);
      output.progress(`posted ${rows} ${route.member}, ${rate}/s; read ${percent} %`);
    },
    onWaiting: (reason) => output.note(`waiting for the API: ${reason}`),
  };
  return await postFile(client, source, options, route, posted);
}

/**
 * Where an error ends the work, the counts of the rows before are told first.
 * @param stored counts of the stored rows
 */
export async function countedAtEnd<T>(
  work: Promise<T>,
  posted: Posted,
  stored: () => string,
  output: Output,
): Promise<T> {
  try {
    return await work;
  } catch (error) {
    noteRefused(posted, output);
    const next = 'the same command again goes on from there, and stores no row twice';
    output.error(`the file is not posted whole: ${stored()} refused=${posted.refused}; ${next}`);
    throw error;
  }
}

/** Prints the refused rows with their reasons. */
export function noteRefused({ refused, refusedFirst }: Posted, output: Output): void {
  for (const { file, line, detail } of refusedFirst) {
    output.error(`${file === undefined ? '' : `${file} `}line ${line}: ${detail}`);
  }
  if (refused > REFUSED_SHOWN_MAX) output.error(`… and ${refused - REFUSED_SHOWN_MAX} more`);
  if (refused > 0) output.error(`${refused} rows were refused and not stored`);
}
