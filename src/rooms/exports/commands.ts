/** `risk export`: everything that a search finds, from a running API to a file. */
import type { Call } from '../../kit/client/api-client.ts';
import { apiOf } from '../../kit/command/api.ts';
import { type CommandContext, EXIT, unlessStopped } from '../../kit/command/command.ts';
import { needed, timeout, type URL_OPTION, type ValuesOf } from '../../kit/command/options.ts';
import { commandOf } from '../../kit/command/rows.ts';
import { exportFile } from './export-file.ts';

const OWN = {
  '--output FILE': needed('Where to'),
  '--timeout SECONDS': timeout('Give up after so long without any success'),
} as const;

async function carryOut(
  { query = {}, headers = {} }: Call,
  { output: path, timeout: seconds, url }: ValuesOf<typeof OWN & typeof URL_OPTION>,
  context: CommandContext,
): Promise<number> {
  const { output, signal } = context;
  const startedMs = performance.now();
  const fields = Object.entries({ format: 'csv', ...query });
  const exporting = exportFile({
    output: path,
    headers,
    ...apiOf(url, context),
    question: Object.fromEntries(fields.map(([name, value]) => [name, String(value)])),
    signal,
    outageMsMax: seconds * 1000,
    onWaiting: (reason) => output.note(`waiting for the API: ${reason}`),
    onRows: (rows) => output.progress(`${rows.toLocaleString('en-US')} rows`),
  });
  const said = 'the same command again goes on';
  const { rows, files } = await unlessStopped(context, said, exporting);
  const tookSeconds = Math.round(performance.now() - startedMs) / 1000;
  output.value({ rows, files, seconds: tookSeconds }, [
    `exported rows=${rows} seconds=${tookSeconds}`,
    ...files,
  ]);
  return EXIT.fine;
}

export const command = commandOf({
  name: 'export',
  summary: 'Writes what a search finds to a file.',
  notes: `It needs a key with the role analyst or risk_officer. Rows go to a partial file, which becomes FILE once all have come. After a
stop the same command goes on behind the last whole row. Parquet comes in files of 250,000 rows: FILE-0001.parquet and so on.

Example: risk export --output november.csv --from 2026-11-01 --to 2026-12-01
Example: risk export --output declined.parquet --format parquet --verdict decline --corridor US-EG`,
  document: async () => (await import('./routes.ts')).document,
  actions: {
    '': {
      operation: 'exportTransactions',
      summary:
        'Writes what GET /v1/transactions finds with the same filters to a file, the newest first unless --order asc',
      fields: { after: undefined },
      own: OWN,
      carryOut,
    },
  },
});
