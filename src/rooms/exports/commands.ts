/** `risk export`: everything that a search finds, from a running API to a file. */
import {
  type Command,
  type CommandContext,
  EXIT,
  integerOption,
  parseArguments,
  UsageError,
  wordOption,
} from '../../kit/command/command.ts';
import { apiKeyOf, apiUrlOption } from '../../kit/command/file-options.ts';
import { tokenOption } from '../../kit/command/token-option.ts';
import { exportFile } from './export-file.ts';
import { EXPORT_FORMATS, exportParameters, PARQUET_ROWS_MAX } from './parameters.ts';

const TIMEOUT_SECONDS = 120;
const TIMEOUT_SECONDS_MAX = 86_400;
const NOTED_EVERY_MS = 5_000;

/** Parameters of the API that are options of the same name here. */
const ASKED = Object.keys(exportParameters.shape).filter(
  (name) => name !== 'format' && name !== 'after',
);
const flagOf = (name: string) => name.replaceAll('_', '-');

const USAGE = `risk export --output FILE [options]

Writes what GET /v1/transactions finds with the same filters to a file, in the order of time. Needs a key with the role analyst
or risk_officer in RISK_API_KEY. Rows go to FILE.partial, which becomes FILE once all have come. After a stop the same command
goes on behind the last whole row. Parquet comes in files of a million rows: FILE-0001.parquet and so on.

  --output FILE     where to
  --format FORM     ${EXPORT_FORMATS.join(', ')} (csv)
  --order ORDER     desc, asc: newest or oldest first (desc)
  --from TIME --to TIME   created_at, RFC 3339; to is exclusive
  --timeout SECONDS how long nothing may succeed (${TIMEOUT_SECONDS})
  --consistency-token TOKEN   of the answer to a write: the rows include that write, even if a replica gives them
  --url URL         of the API (RISK_URL)
  --json

Filters, as the parameters of the API:
  ${ASKED.map((name) => `--${flagOf(name)}`).join(' ')}

Example: risk export --output november.csv --from 2026-11-01T00:00:00Z --to 2026-12-01T00:00:00Z
Example: risk export --output declined.parquet --format parquet --verdict decline --corridor US-EG`;

const text = { type: 'string' } as const;

async function run(args: string[], context: CommandContext): Promise<number> {
  const { config, output, signal } = context;
  const { values } = parseArguments(args, {
    ...{ output: text, format: text, timeout: text, url: text, 'consistency-token': text },
    ...Object.fromEntries(ASKED.map((name) => [flagOf(name), text])),
  });
  const given: Readonly<Record<string, unknown>> = values;
  const path = values.output;
  if (typeof path !== 'string') throw new UsageError('--output is missing');
  const format = wordOption('--format', String(values.format ?? 'csv'), EXPORT_FORMATS);
  const asked = ASKED.flatMap((name) => {
    const value = given[flagOf(name)];
    return typeof value === 'string' ? [[name, value]] : [];
  });
  const timeout = { min: 1, max: TIMEOUT_SECONDS_MAX };
  const seconds = integerOption('--timeout', asText(values.timeout), timeout, TIMEOUT_SECONDS);
  const startedMs = performance.now();
  let notedMs = startedMs;
  const exported = await exportFile({
    ...{ output: path, signal, question: { format, ...Object.fromEntries(asked) } },
    ...{ url: apiUrlOption(asText(values.url), config), outageMsMax: seconds * 1000 },
    partRowsMax: PARQUET_ROWS_MAX,
    key: apiKeyOf(config),
    token: tokenOption(asText(values['consistency-token'])),
    onWaiting: (reason) => output.note(`waiting for the API: ${reason}`),
    onRows: (rows) => {
      if (performance.now() - notedMs < NOTED_EVERY_MS) return;
      notedMs = performance.now();
      output.note(`${rows.toLocaleString('en-US')} rows`);
    },
  }).catch((error: unknown) => {
    if (signal.aborted) return undefined;
    throw error;
  });
  if (exported === undefined) {
    output.note('stopped; the same command again goes on');
    return EXIT.failed;
  }
  const { rows, files } = exported;
  const tookSeconds = Math.round(performance.now() - startedMs) / 1000;
  output.value({ rows, files, seconds: tookSeconds }, [
    `exported rows=${rows} seconds=${tookSeconds}`,
    ...files,
  ]);
  return EXIT.fine;
}

const asText = (value: unknown) => (typeof value === 'string' ? value : undefined);

export const command: Command = {
  name: 'export',
  summary: 'Writes what a search finds to a file.',
  usage: USAGE,
  run,
};
