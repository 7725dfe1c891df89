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
import { type CommandContext, UsageError } from './command.ts';
import { type Option, URL_OPTION, type ValuesOf, whole } from './options.ts';
import type { Output } from './output.ts';

/** Rows of a request, unless `--batch` says fewer. */
export const BATCH_ROWS_MAX = 1_000;
const CONNECTIONS_MAX = 64;
const ROWS_PER_SECOND_MAX = 1_000_000;

/** For each command that reads ids. */
export const IDS_OPTION = {
  '--ids-as-they-are':
    'Take ids such as 4.11111E+15 and nan, which spreadsheets and data frames make',
} as const;

export const assignments = <F extends string>(
  says: string,
  fields: readonly F[],
): Option<Partial<Record<F, string>>> => ({
  says,
  read: (flag, _text, texts) => assignmentsOption(flag, texts, fields),
});

/** Options that each of these commands takes. @param fields those that `--map` and `--set` may name */
export const fileOptionsOf = <F extends string>(fields: readonly F[], connections: number) =>
  ({
    '--map FIELD=COLUMN,...': assignments('Columns that have another name in the file', fields),
    '--set FIELD=VALUE,...': assignments('Fields that are the same in every row', fields),
    '--batch N': whole(
      `Rows a request, 1 to ${BATCH_ROWS_MAX}`,
      { min: 1, max: BATCH_ROWS_MAX },
      BATCH_ROWS_MAX,
    ),
    '--connections N': whole(
      `Requests at a time, 1 to ${CONNECTIONS_MAX}`,
      { min: 1, max: CONNECTIONS_MAX },
      connections,
    ),
    '--rate N': whole(
      'At most so many rows a second (as fast as the API answers)',
      { min: 1, max: ROWS_PER_SECOND_MAX },
      null,
    ),
    ...IDS_OPTION,
    ...URL_OPTION,
  }) as const;

export type FileSettings<F extends string> = Pick<
  PostOptions,
  'batchRows' | 'connections' | 'rowsPerSecond'
> &
  Omit<ApiOptions, 'signal'> & {
    readonly files: readonly string[];
    readonly mapping: Mapping<F>;
  };

export const fileSettings = <F extends string>(
  files: readonly string[],
  values: ValuesOf<ReturnType<typeof fileOptionsOf<F>>>,
  context: Pick<CommandContext, 'config' | 'output'>,
): FileSettings<F> => ({
  files,
  mapping: {
    columns: values.map,
    constants: values.set,
    idsAsTheyAre: values['ids-as-they-are'],
  },
  ...apiOf(values.url, context),
  batchRows: values.batch,
  connections: values.connections,
  rowsPerSecond: values.rate,
});

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

/** Shows the counts of the rows before an error that ends the work, then the error. @param stored counts of the stored rows */
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
    const counts = `${stored()} refused=${posted.refused} unanswered=${posted.unanswered}`;
    const next =
      'the same command again goes on from there, and counts rows that are stored, unanswered ones among them, as known';
    output.error(`the file is not posted whole: ${counts}; ${next}`);
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
