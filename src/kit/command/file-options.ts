/** Commands that post a file to the API: their options, and what a person sees of them. */
import { type ApiOptions, createApiClient } from '../client/api-client.ts';
import {
  type Posted,
  type PostOptions,
  postFile,
  REFUSED_SHOWN_MAX,
  type RowsRoute,
} from '../client/post-file.ts';
import { type Mapping, openSource, type Projection } from '../client/rows.ts';
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
} as const;

/** Effect of each option, for the usage. */
export const fileOptionTexts = (connections: number) => ({
  '--map FIELD=COLUMN,...': 'Columns that have another name in the file',
  '--set FIELD=VALUE,...': 'Fields that are the same in every row',
  '--batch N': `Rows a request, 1 to ${BATCH_ROWS_MAX} (${BATCH_ROWS_MAX})`,
  '--connections N': `Requests at a time, 1 to ${CONNECTIONS_MAX} (${connections})`,
  '--rate N': 'At most so many rows a second (as fast as the API answers)',
});

type FileValues = {
  readonly [name in 'batch' | 'connections' | 'rate' | 'url']?: string | undefined;
} & { readonly [name in 'map' | 'set']?: string[] | undefined };

export type FileSettings<F extends string> = Pick<
  PostOptions,
  'batchRows' | 'connections' | 'rowsPerSecond'
> &
  Omit<ApiOptions, 'signal'> & {
    readonly file: string;
    readonly mapping: Mapping<F>;
  };

/** @param fields those that `--map` and `--set` may name */
export function fileOptions<F extends string>(
  [file = '']: readonly string[],
  values: FileValues,
  context: Pick<CommandContext, 'config' | 'output'>,
  fields: readonly F[],
  connections: number,
): FileSettings<F> {
  const integer = <D>(name: 'batch' | 'connections' | 'rate', max: number, byDefault: D) =>
    integerOption(`--${name}`, values[name], { min: 1, max }, byDefault);
  return {
    file,
    mapping: {
      columns: assignmentsOption('--map', values.map, fields),
      constants: assignmentsOption('--set', values.set, fields),
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
    assignments[field] = part.slice(at + 1).trim();
  }
  return assignments;
}

/** Posts the file, and shows how far it is. */
export async function postWithProgress(
  settings: FileSettings<string> & Pick<PostOptions, 'outageMsMax'>,
  projection: Projection,
  route: RowsRoute,
  { output, signal }: Pick<CommandContext, 'output' | 'signal'>,
): Promise<Posted> {
  const source = await openSource(settings.file, projection);
  const client = createApiClient({ ...settings, signal });
  const startedMs = performance.now();
  const options: PostOptions = {
    ...settings,
    signal,
    onProgress: ({ rows, bytesRead, bytes }) => {
      const percent = Math.floor((100 * Math.min(bytesRead, bytes)) / Math.max(1, bytes));
      const seconds = Math.max(0.001, (performance.now() - startedMs) / 1000);
      const rate = Math.round(rows / seconds);
      output.progress(`posted ${rows} ${route.member}, ${rate}/s; read ${percent} % of the file`);
    },
    onWaiting: (reason) => output.note(`waiting for the API: ${reason}`),
  };
  return await postFile(client, source, options, route);
}

/** Prints the refused rows with their reasons. */
export function noteRefused({ refused, refusedFirst }: Posted, output: Output): void {
  for (const { line, detail } of refusedFirst) output.error(`line ${line}: ${detail}`);
  if (refused > REFUSED_SHOWN_MAX) output.error(`… and ${refused - REFUSED_SHOWN_MAX} more`);
  if (refused > 0) output.error(`${refused} rows were refused and not stored`);
}
