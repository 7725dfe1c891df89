/** Options of the commands that post a file to the API. */
import { parseAssignments } from '../client/fields.ts';
import type { Config } from '../runtime/config.ts';
import { UsageError } from './command.ts';

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
