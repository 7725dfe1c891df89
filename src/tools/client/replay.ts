/** `risk replay FILE…`: posts files of transactions to a running API, and prints the ledger. */
import { LABEL_FIELDS, TRANSACTION_FIELDS } from '../../core/domain/file-rows.ts';
import {
  type Command,
  type CommandContext,
  EXIT,
  integerOption,
  optionsOf,
  parseArguments,
  UsageError,
  unlessStopped,
  wordOption,
} from '../../kit/command/command.ts';
import {
  assignmentsOption,
  FILE_OPTIONS,
  fileOptions,
  fileOptionTexts,
  labelledAfterOption,
  noteRefused,
} from '../../kit/command/file-options.ts';
import type { Output } from '../../kit/command/output.ts';
import { usageText } from '../../kit/command/usage.ts';
import { balances, ledgerLine } from './ledger.ts';
import {
  CONNECTIONS,
  type Replayed,
  type ReplaySettings,
  replayToLedger,
  SETTLE_TIMEOUT_SECONDS,
} from './replay-to-ledger.ts';

const SETTLE_TIMEOUT_SECONDS_MAX = 86_400;
/** Bounds on what sorting writes to TMPDIR, MiB. */
const SORT_MIB = 20_480;
const SORT_MIB_MAX = 1_048_576;
const ORDERS = ['time', 'file'] as const;
const FILES_MAX = 64;

async function run(args: string[], context: CommandContext): Promise<number> {
  const { config } = context;
  const { values, positionals } = parseArguments(
    args,
    { ...FILE_OPTIONS, ...OWN_OPTIONS },
    { required: ['FILE'], max: FILES_MAX },
  );
  const bounds = { min: 1, max: SETTLE_TIMEOUT_SECONDS_MAX };
  const timeout = values['settle-timeout'];
  const seconds = integerOption('--settle-timeout', timeout, bounds, SETTLE_TIMEOUT_SECONDS);
  const mapping = {
    columns: assignmentsOption('--labels-map', values['labels-map'], LABEL_FIELDS),
    constants: assignmentsOption('--labels-set', values['labels-set'], LABEL_FIELDS),
  };
  const labelledAfterMs = labelledAfterOption(values['labelled-after'], mapping);
  const { labels: file } = values;
  const sortBounds = { min: 1, max: SORT_MIB_MAX };
  const mebibytes = integerOption('--sort-mib', values['sort-mib'], sortBounds, SORT_MIB);
  const settings: ReplaySettings = {
    ...fileOptions(positionals, values, context, TRANSACTION_FIELDS, CONNECTIONS),
    databaseUrl: config.DATABASE_URL,
    settleTimeoutMs: seconds * 1000,
    order: wordOption('--order', values.order ?? 'time', ORDERS),
    sortBytesMax: mebibytes * 2 ** 20,
    labels: file === undefined ? null : { file, mapping, labelledAfterMs },
  };
  if (settings.order === 'file' && settings.labels !== null) {
    throw new UsageError('--labels are posted by their times, which --order file leaves out');
  }
  const said = 'the same command again repeats nothing';
  const replayed = await unlessStopped(context, said, replayToLedger(settings, context));
  return replayed === undefined ? EXIT.failed : report(settings, replayed, context.output);
}

const OWN_TEXTS = {
  '--settle-timeout SECONDS': `Give up after so long without any progress (${SETTLE_TIMEOUT_SECONDS})`,
  '--order time|file':
    'Post by created_at, rows without it last, or as the files lie (time); beyond 64 MiB rows are sorted in TMPDIR',
  '--sort-mib N': `At most so many MiB in TMPDIR (${SORT_MIB})`,
  '--labels FILE': 'Post labels as well, those of before a day of UTC before its transactions',
  '--labels-map FIELD=COLUMN,...': 'Columns of labels that have another name in the file',
  '--labels-set FIELD=VALUE,...': 'Fields that are the same in every label',
  '--labelled-after DELAY': 'labelled_at is created_at and this: 7d, 12h, 30m, 45s',
} as const;
const TEXTS = { type: 'string', multiple: true } as const;
const OWN_OPTIONS = {
  ...optionsOf(OWN_TEXTS),
  'labels-map': TEXTS,
  'labels-set': TEXTS,
} as const;

function report(
  settings: ReplaySettings,
  { ledger, posted, labels }: Replayed,
  output: Output,
): number {
  noteRefused(posted, output);
  const { refused, refusedFirst } = posted;
  if (settings.databaseUrl === undefined) {
    output.note('without DATABASE_URL: scored and dead_lettered are differences of GET /v1/status');
  }
  const hasLabels = settings.labels !== null;
  const labelled = `labels accepted=${labels.accepted} unchanged=${labels.unchanged}`;
  output.value(
    {
      ...ledger,
      ...{ refused, refused_first: refusedFirst },
      ...(hasLabels ? { labels } : {}),
    },
    [...(hasLabels ? [labelled] : []), ledgerLine(ledger)],
  );
  const nothingTaken = refused > 0 && ledger.accepted + ledger.duplicates === 0;
  return balances(ledger) && !nothingTaken ? EXIT.fine : EXIT.failed;
}

const SUMMARY =
  'Posts the transactions of CSV or NDJSON files (.gz too) to a running API in order of time, and prints the ledger: what was accepted against what became of it. Rows are idempotent by their key, so files may be replayed again at any time. Exit code 0 when nothing is lost, doubled or pending';

export const command: Command = {
  name: 'replay',
  summary: 'Posts a file of transactions to a running API; prints the ledger.',
  usage: usageText(
    'replay FILE [FILE…]',
    [
      {
        word: '',
        words: '',
        summary: SUMMARY,
        asksApi: true,
        options: {
          ...fileOptionTexts(CONNECTIONS),
          ...OWN_TEXTS,
        },
      },
    ],
    `With DATABASE_URL the ledger is counted in SQL over the accepted ids; without it, from GET /v1/status.

Example: risk replay payments.csv.gz --map account_id=customer,idempotency_key=id --set currency=USD,corridor=US-US
Example: risk replay 2026-09.ndjson.gz 2026-10.ndjson.gz --labels labels.ndjson.gz`,
  ),
  run,
};
