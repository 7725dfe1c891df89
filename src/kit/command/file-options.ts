/** Options of the commands that post a file to the API. */
import { type Mapping, parseAssignments } from '../client/fields.ts';
import type { Config } from '../config/config.ts';
import { integerOption, UsageError } from './command.ts';

/** Rows of a request, unless `--batch` says fewer. */
export const BATCH_ROWS_MAX = 1_000;
const CONNECTIONS_MAX = 64;

/** What each of these commands takes, for `parseArguments`. */
export const FILE_OPTIONS = {
  map: { type: 'string', multiple: true },
  set: { type: 'string', multiple: true },
  batch: { type: 'string' },
  connections: { type: 'string' },
  url: { type: 'string' },
} as const;

type FileValues = {
  readonly map?: string[] | undefined;
  readonly set?: string[] | undefined;
  readonly batch?: string | undefined;
  readonly connections?: string | undefined;
  readonly url?: string | undefined;
};

export type FileSettings<F extends string> = {
  readonly mapping: Mapping<F>;
  readonly url: string;
  readonly key: string | undefined;
  readonly batchRows: number;
  readonly connections: number;
};

/** @param fields those that `--map` and `--set` may name */
export function fileOptions<F extends string>(
  values: FileValues,
  config: Config,
  fields: readonly F[],
  connections: number,
): FileSettings<F> {
  const integer = (name: 'batch' | 'connections', max: number, byDefault: number) =>
    integerOption(`--${name}`, values[name], { min: 1, max }, byDefault);
  return {
    mapping: {
      columns: assignmentsOption('--map', values.map, fields),
      constants: assignmentsOption('--set', values.set, fields),
    },
    url: apiUrlOption(values.url, config),
    key: apiKeyOf(config),
    batchRows: integer('batch', BATCH_ROWS_MAX, BATCH_ROWS_MAX),
    connections: integer('connections', CONNECTIONS_MAX, connections),
  };
}

/** The key that a command sends: RISK_API_KEY, else RISK_BOOTSTRAP_KEY, which a machine that runs an API has. */
export function apiKeyOf(config: Config): string | undefined {
  return config.RISK_API_KEY ?? config.RISK_BOOTSTRAP_KEY;
}

/** The value of `--url`, else RISK_URL. */
export function apiUrlOption(given: string | undefined, config: Config): string {
  const url = given ?? config.RISK_URL;
  const parsed = URL.parse(url);
  if (!/^https?:$/.test(parsed?.protocol ?? ''))
    throw new UsageError(`the API must be an http or https URL, not '${url}'`);
  if (parsed?.pathname !== '/' || parsed.search !== '') {
    throw new UsageError(`the API must be a URL without a path, not '${url}'`);
  }
  return url;
}

/** `--map FIELD=COLUMN,...` and `--set FIELD=VALUE,...`, however often they are given. */
export function assignmentsOption<F extends string>(
  flag: string,
  texts: readonly string[] | undefined,
  fields: readonly F[],
): Partial<Record<F, string>> {
  if (texts === undefined) return {};
  const parsed = parseAssignments(texts.join(','), fields);
  if ('assignments' in parsed) return parsed.assignments;
  throw new UsageError(
    `${flag} takes FIELD=..., with a field of ${fields.join(', ')}, not '${parsed.wrong}'`,
  );
}
