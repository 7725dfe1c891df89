/** `risk labels …`: posts a file of labels to a running API, and lists the labels that it has. */
import { LABEL_VALUES } from '../../core/domain/label.ts';
import { createApiClient } from '../../kit/client/api-client.ts';
import { type AskApi, readPages } from '../../kit/client/ask.ts';
import { createReplayProgress } from '../../kit/client/progress.ts';
import { openSource } from '../../kit/client/rows.ts';
import { withApi } from '../../kit/command/api-json.ts';
import {
  type Command,
  type CommandContext,
  EXIT,
  integerOption,
  parseArguments,
  UsageError,
  wordOption,
} from '../../kit/command/command.ts';
import {
  BATCH_ROWS_MAX,
  FILE_OPTIONS,
  type FileSettings,
  fileOptions,
} from '../../kit/command/file-options.ts';
import { tokenOption } from '../../kit/command/token-option.ts';
import type { Config } from '../../kit/config/config.ts';
import { noteRefused } from '../../tools/client/replay.ts';
import { type ImportResult, importLabels } from './import-labels.ts';
import {
  LABEL_FIELDS,
  type LabelField,
  type LabelProjectionOptions,
  labelProjection,
} from './label-fields.ts';

const CONNECTIONS = 2;
const TIMEOUT_SECONDS = 120;
const TIMEOUT_SECONDS_MAX = 86_400;
const LIST_ROWS = 50;
const LIST_ROWS_MAX = 100_000;

const USAGE = `risk labels import FILE [options]
risk labels list [options]

import posts the labels of a CSV or NDJSON file (.gz too) to a running API: which transactions were fraud and
which were not, by whom and since when that is known. A label that is known already is unchanged, so a
file may be imported again at any time. What the API refuses is shown and left out. The last line is
labels accepted=N unchanged=N refused=N seconds=S.

Fields: transaction_id or idempotency_key, label (fraud, legitimate, 1 or 0), labelled_at, source, note.

  --map FIELD=COLUMN,...     columns that have another name in the file
  --set FIELD=VALUE,...      fields that are the same in every row
  --labelled-after DELAY     labelled_at is created_at and this: 7d, 12h, 30m, 45s. created_at is read
                             from its column, or from the transaction's id
  --batch N                  labels a request, 1 to ${BATCH_ROWS_MAX} (${BATCH_ROWS_MAX})
  --connections N            requests at a time, 1 to 64 (${CONNECTIONS})
  --timeout SECONDS          give up after so long without any answer (${TIMEOUT_SECONDS})
  --url URL                  the API (RISK_URL); its key is read from RISK_API_KEY

list shows labels, the newest labelled_at first; --json adds the note and what else the API says.

  --account ID, --merchant ID, --transaction ID, --label fraud|legitimate, --source NAME
  --from TIME, --to TIME     labelled_at from the one, before the other
  --limit N                  rows (${LIST_ROWS})
  --consistency-token TOKEN  of the answer to a write: the rows include that write, even if a replica gives them

Example: risk labels list --account acc_17 --label fraud
Example: risk labels import labels.csv.gz
Example: risk labels import history.csv.gz --map idempotency_key=id,label=is_fraud --set source=bank --labelled-after 7d
`;

type ImportSettings = FileSettings<LabelField> &
  LabelProjectionOptions & {
    readonly file: string;
    readonly outageMsMax: number;
  };

function parseImport(args: string[], config: Config): ImportSettings {
  const { values, positionals } = parseArguments(
    args,
    { ...FILE_OPTIONS, 'labelled-after': { type: 'string' }, timeout: { type: 'string' } },
    { required: ['FILE'] },
  );
  const settings = fileOptions(values, config, LABEL_FIELDS, CONNECTIONS);
  const { columns, constants } = settings.mapping;
  const labelledAfterMs = delayOption('--labelled-after', values['labelled-after']);
  if (labelledAfterMs !== null && ('labelled_at' in columns || 'labelled_at' in constants)) {
    throw new UsageError('--labelled-after makes labelled_at: it cannot be mapped or set as well');
  }
  const timeout = { min: 1, max: TIMEOUT_SECONDS_MAX };
  return {
    ...settings,
    file: positionals[0] ?? '',
    labelledAfterMs,
    outageMsMax: integerOption('--timeout', values.timeout, timeout, TIMEOUT_SECONDS) * 1000,
  };
}

const UNIT_MS = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000 } as const;

function delayOption(flag: string, text: string | undefined): number | null {
  if (text === undefined) return null;
  const [, count, unit = ''] = /^(\d{1,5})([dhms])$/.exec(text) ?? [];
  const unitMs = Object.entries(UNIT_MS).find(([name]) => name === unit)?.[1];
  if (unitMs !== undefined) return Number(count) * unitMs;
  throw new UsageError(`${flag} must be a number and d, h, m or s, as 7d, not '${text}'`);
}

async function importFile(
  settings: ImportSettings,
  { output, signal }: CommandContext,
): Promise<ImportResult> {
  const { url, key, connections } = settings;
  const source = await openSource(settings.file, labelProjection(settings));
  using client = createApiClient({ url, key, connections, signal });
  using progress = createReplayProgress(output.progressTerminal, output.note, 'labels');
  return await importLabels(client, source, {
    ...settings,
    signal,
    onProgress: progress.posting,
    onWaiting: (reason) => output.note(`waiting for the API: ${reason}`),
  });
}

async function runImport(args: string[], context: CommandContext): Promise<number> {
  const { output, config, signal } = context;
  const settings = parseImport(args, config);
  const startedMs = performance.now();
  const result = await importFile(settings, context).catch((error: unknown) => {
    if (signal.aborted) return undefined;
    throw error;
  });
  if (result === undefined) {
    output.note('stopped; the same command again repeats nothing');
    return EXIT.failed;
  }
  noteRefused(result, output);
  const { accepted, unchanged, refused, refusedFirst } = result;
  const seconds = Math.round(performance.now() - startedMs) / 1000;
  output.value({ accepted, unchanged, refused, seconds, refused_first: refusedFirst }, [
    `labels accepted=${accepted} unchanged=${unchanged} refused=${refused} seconds=${seconds}`,
  ]);
  return refused > 0 && accepted + unchanged === 0 ? EXIT.failed : EXIT.fine;
}

const LIST_COLUMNS = [
  { field: 'labelled_at', title: 'labelled at' },
  { field: 'label' },
  { field: 'source' },
  { field: 'transaction_id', title: 'transaction' },
  { field: 'account_id', title: 'account' },
  { field: 'merchant_id', title: 'merchant' },
  { field: 'reporter' },
];

async function listLabels(args: string[], context: CommandContext): Promise<number> {
  const text = { type: 'string' } as const;
  const { values } = parseArguments(args, {
    ...{ account: text, merchant: text, transaction: text, label: text, source: text },
    ...{ from: text, to: text, limit: text, url: text, 'consistency-token': text },
  });
  const { account, merchant, transaction, source, from, to, url } = values;
  const label = wordOption('--label', values.label, LABEL_VALUES);
  const wanted = integerOption('--limit', values.limit, { min: 1, max: LIST_ROWS_MAX }, LIST_ROWS);
  const filter = {
    ...{ account_id: account, merchant_id: merchant, transaction_id: transaction },
    ...{ label, source, from, to },
  };
  const read = (ask: AskApi) =>
    readPages(wanted, (cursor, limit) =>
      ask('GET /v1/labels', { query: { ...filter, limit, cursor } }),
    );
  const token = tokenOption(values['consistency-token']);
  const rows = await withApi(context, url, read, token);
  const shown = rows.map((row) => ({ ...row, reporter: row.identity ?? row.client }));
  context.output.table(LIST_COLUMNS, context.output.json ? rows : shown);
  return EXIT.fine;
}

export const command: Command = {
  name: 'labels',
  summary: 'Posts a file of labels to a running API, and lists labels.',
  usage: USAGE,
  async run([action, ...args], context) {
    if (action === 'import') return await runImport(args, context);
    if (action === 'list') return await listLabels(args, context);
    throw new UsageError('say import FILE or list');
  },
};
