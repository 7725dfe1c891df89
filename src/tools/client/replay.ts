/** `risk replay FILE…`: posts files of transactions to a running API, waits until all of them are final, and prints the ledger; `risk start` does so with its sample. */
import {
  LABEL_FIELDS,
  TRANSACTION_FIELDS,
  type TransactionField,
} from '../../core/domain/file-rows.ts';
import { createApiClient, notTheContract } from '../../kit/client/api-client.ts';
import type { AcceptedBatch } from '../../kit/client/api-types.ts';
import { nothingPosted, type Posted, type RowsRoute } from '../../kit/client/post-file.ts';
import { type CommandContext, EXIT, UsageError, unlessStopped } from '../../kit/command/command.ts';
import {
  assignments,
  BATCH_ROWS_MAX,
  countedAtEnd,
  createLabelsRoute,
  type FileSettings,
  fileOptionsOf,
  fileSettings,
  labelledAfterOption,
  labelsText,
  noteRefused,
  postWithProgress,
} from '../../kit/command/file-options.ts';
import { choice, timeout, whole } from '../../kit/command/options.ts';
import type { Output } from '../../kit/command/output.ts';
import { commandOf, written } from '../../kit/command/rows.ts';
import type { Config } from '../../kit/config/config.ts';
import { openDatabase } from '../../kit/database/open-database.ts';
import type { Database } from '../../kit/database/pool.ts';
import { Failure, isUnavailable } from '../../kit/words/failure.ts';
import { buildTable } from './build-table.ts';
import { balances, createLedger, ledgerLine } from './ledger.ts';
import { countLedger, ID_BYTES } from './read-ledger.ts';
import { type Kind, openParts, type Parts, type ReplayFiles } from './timed-source.ts';
import {
  type CountSettled,
  countByTotals,
  readTotals,
  waitUntilSettled,
} from './wait-until-settled.ts';

/** Ids of 16 bytes each, as a replay remembers every accepted row. */
export function packIds(ids: readonly string[]): Buffer {
  const packed = Buffer.from(ids.join('').replaceAll('-', ''), 'hex');
  if (packed.length !== ids.length * ID_BYTES) throw notTheContract();
  return packed;
}

const CONNECTIONS = 4;
const SETTLE_TIMEOUT_SECONDS = 120;
/** Bound on one count of a ledger of millions. */
const COUNT_TIMEOUT_MS = 600_000;

type ReplaySettings = FileSettings<TransactionField> &
  ReplayFiles & {
    readonly databaseUrl: string | undefined;
    readonly settleTimeoutMs: number;
  };

/** Settings for a file that already has the API's fields. */
export const PLAIN_REPLAY = {
  mapping: { columns: {}, constants: {} },
  batchRows: BATCH_ROWS_MAX,
  connections: CONNECTIONS,
  rowsPerSecond: null,
  settleTimeoutMs: SETTLE_TIMEOUT_SECONDS * 1000,
  order: 'file',
  sortBytesMax: 0,
  labels: null,
  isByDay: false,
} as const satisfies Partial<ReplaySettings>;

type ReplayContext = Pick<CommandContext, 'config' | 'environment' | 'output' | 'signal'>;

type Replayed = Awaited<ReturnType<typeof replayToLedger>>;

/** Replays the files and waits for their end; shows progress on standard error. */
export async function replayToLedger(settings: ReplaySettings, context: ReplayContext) {
  const { config, output, signal } = context;
  const client = createApiClient({ ...settings, signal });
  await using database = openLedgerDatabase(settings.databaseUrl, config);
  const before = database === undefined ? await readTotals(client).catch(nullIfUnavailable) : null;
  const startedMs = performance.now();
  const receivedFromMs = Date.now();
  const accepted: Buffer[] = [];
  // Duplicates that an earlier try of this replay may have stored.
  const repeated: Buffer[] = [];
  const rowsOf = { accepted: 0, duplicate: 0 };
  const labelsRoute = createLabelsRoute();
  const transactionsRoute = {
    path: '/v1/transactions/batch',
    member: 'transactions',
    accepted: ({ results }: Partial<AcceptedBatch>, rows: number, isRepeated: boolean) => {
      if (results?.length !== rows) throw notTheContract();
      for (const status of ['accepted', 'duplicate'] as const) {
        const ids = results.filter((row) => row.status === status).map((row) => row.transaction_id);
        rowsOf[status] += ids.length;
        if (status === 'accepted') accepted.push(packIds(ids));
        else if (isRepeated) repeated.push(packIds(ids));
      }
    },
  };
  const routes = { transactions: transactionsRoute, labels: labelsRoute.route };
  const settle = (count: CountSettled, rows: number) =>
    waitUntilSettled(() => readTotals(client), count, {
      accepted: rows,
      quietMsMax: settings.settleTimeoutMs,
      signal,
      onProgress: (final) => output.progress(`scoring ${final} of ${rows} final`),
      onWaiting: (reason) => output.note(`waiting: ${reason}`),
    });
  const posted = nothingPosted();
  /** Counts up to the last table. */
  let from = { accepted: 0, repeated: 0, rows: 0 };
  const beforeDay = async (day: number) => {
    if (database === undefined) return;
    const ids = {
      accepted: accepted.slice(from.accepted),
      repeated: repeated.slice(from.repeated),
    };
    const count = () => countLedger(database, { ...ids, receivedFromMs });
    const { pending } = await settle(count, rowsOf.accepted - from.rows);
    if (pending > 0) {
      const why = `${pending} transactions of the days before are not scored`;
      throw new Failure('unavailable', 'NOT_SCORED', why);
    }
    from = { accepted: accepted.length, repeated: repeated.length, rows: rowsOf.accepted };
    await buildTable(database, day, context);
  };
  const parts = await openParts(settings, context);
  const posting = postParts(settings, parts, { routes, beforeDay }, context, posted);
  const stored = () => {
    const transactions = `transactions accepted=${rowsOf.accepted} duplicate=${rowsOf.duplicate}`;
    return settings.labels === null
      ? transactions
      : `${transactions} ${labelsText(labelsRoute.sum)}`;
  };
  await countedAtEnd(posting, posted, stored, output);
  const settled = await settle(
    database === undefined
      ? countByTotals(before, rowsOf.accepted)
      : () => countLedger(database, { accepted, repeated, receivedFromMs }),
    rowsOf.accepted,
  );
  const elapsedMs = performance.now() - startedMs;
  const duplicates = rowsOf.duplicate - settled.repeatedAccepted;
  const ledger = createLedger({ ...settled, duplicates, elapsedMs });
  return { ledger, posted, labels: labelsRoute.sum };
}

type Posting = {
  readonly routes: Readonly<Record<Kind, RowsRoute>>;
  readonly beforeDay: (day: number) => Promise<void>;
};

/** Posts a part when all before it are answered: the API finds the transactions of a label, and a night what is before its day. */
async function postParts(
  settings: ReplaySettings,
  { parts, shareRead }: Parts,
  { routes, beforeDay }: Posting,
  context: ReplayContext,
  posted: Posted,
): Promise<void> {
  const posting = { ...settings, outageMsMax: settings.settleTimeoutMs };
  for await (const { kind, day, rows } of parts) {
    if (day !== undefined) await beforeDay(day);
    const source = { rows: () => rows, shareRead };
    await postWithProgress(posting, source, routes[kind], context, posted);
  }
}

/** Without the totals of before, the ledger without a database counts nothing as scored. */
function nullIfUnavailable(error: unknown): null {
  if (isUnavailable(error)) return null;
  throw error;
}

function openLedgerDatabase(url: string | undefined, config: Config): Database | undefined {
  if (url === undefined) return undefined;
  return openDatabase(config, url, 'replay', {
    connectionsMax: 1,
    statementTimeoutMs: COUNT_TIMEOUT_MS,
  });
}

/** Bounds on what sorting writes to TMPDIR, MiB. */
const SORT_MIB = 20_480;
const SORT_MIB_MAX = 1_048_576;

const OPTIONS = {
  ...fileOptionsOf(TRANSACTION_FIELDS, CONNECTIONS),
  '--settle-timeout SECONDS': timeout('Give up after so long without any progress'),
  '--order time|file': choice(
    'Post by created_at, rows without it last, or as the files lie; beyond 64 MiB rows are sorted in TMPDIR',
    ['time', 'file'],
    'time',
  ),
  '--sort-mib N': whole('At most so many MiB in TMPDIR', { min: 1, max: SORT_MIB_MAX }, SORT_MIB),
  '--labels FILE':
    'Post labels too: before the transactions of each UTC day, the labels that are older; with DATABASE_URL also build the missing table of the day in between',
  '--labels-map FIELD=COLUMN,...': assignments(
    'Columns of labels that have another name in the file',
    LABEL_FIELDS,
  ),
  '--labels-set FIELD=VALUE,...': assignments(
    'Fields that are the same in every label',
    LABEL_FIELDS,
  ),
  '--labelled-after DELAY': 'labelled_at is created_at and this: 7d, 12h, 30m, 45s',
  '--no-tables': 'Build no tables between the days',
} as const;

const POSTS =
  'Posts the transactions of CSV or NDJSON files (.gz too, - is standard input) to a running API in order of time, and prints the ledger: what was accepted against what became of it. Rows are idempotent by their key, so files may be replayed again at any time. Exit code 0 when nothing is refused, lost, doubled or pending';
const replay = written('FILE…', POSTS, OPTIONS, async ({ values, words }, context) => {
  const mapping = {
    columns: values['labels-map'],
    constants: values['labels-set'],
    idsAsTheyAre: values['ids-as-they-are'],
  };
  const labelledAfterMs = labelledAfterOption(values['labelled-after'], mapping);
  const { labels: file, order } = values;
  const settings: ReplaySettings = {
    ...fileSettings(words, values, context),
    databaseUrl: context.config.DATABASE_URL,
    settleTimeoutMs: values['settle-timeout'] * 1000,
    order,
    sortBytesMax: values['sort-mib'] * 2 ** 20,
    labels: file === undefined ? null : { file, mapping, labelledAfterMs },
    isByDay:
      file !== undefined && !values['no-tables'] && context.config.DATABASE_URL !== undefined,
  };
  if (order === 'file' && settings.labels !== null) {
    throw new UsageError('--labels are posted by their times, which --order file leaves out');
  }
  const said = 'the same command again repeats nothing';
  const replayed = await unlessStopped(context, said, replayToLedger(settings, context));
  return report(settings, replayed, context.output);
});

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
  output.value(
    {
      ...ledger,
      ...{ refused, refused_first: refusedFirst },
      ...(hasLabels ? { labels } : {}),
    },
    [...(hasLabels ? [labelsText(labels)] : []), ledgerLine(ledger)],
  );
  return balances(ledger) && refused === 0 ? EXIT.fine : EXIT.failed;
}

export const command = commandOf({
  name: 'replay',
  summary: 'Posts a file of transactions to a running API; prints the ledger.',
  notes: `With DATABASE_URL the ledger is counted in SQL over the accepted ids; without it, from GET /v1/status.

Example: risk replay payments.csv.gz --map account_id=customer,idempotency_key=id --set currency=USD,corridor=US-US
Example: risk replay 2026-09.ndjson.gz 2026-10.ndjson.gz --labels labels.ndjson.gz`,
  actions: { '': replay },
});
