/**
 * `risk replay FILE`: posts a file of transactions to a running API, waits until all of them are
 * final, and prints the ledger. `replayToLedger` is also what `risk start` runs on its sample.
 */
import { createApiClient, notTheContract } from '../../kit/client/api-client.ts';
import type { AcceptedBatch } from '../../kit/client/api-types.ts';
import type { Posted } from '../../kit/client/post-file.ts';
import { type Mapping, type Projection, projectionOf } from '../../kit/client/rows.ts';
import {
  type Command,
  type CommandContext,
  EXIT,
  integerOption,
  parseArguments,
  unlessStopped,
} from '../../kit/command/command.ts';
import {
  BATCH_ROWS_MAX,
  FILE_OPTIONS,
  type FileSettings,
  fileOptions,
  fileOptionTexts,
  noteRefused,
  postWithProgress,
} from '../../kit/command/file-options.ts';
import type { Output } from '../../kit/command/output.ts';
import { usageText } from '../../kit/command/usage.ts';
import type { Config } from '../../kit/config/config.ts';
import { openDatabase } from '../../kit/database/open-database.ts';
import type { Database } from '../../kit/database/pool.ts';
import { isUnavailable } from '../../kit/words/failure.ts';
import { balances, createLedger, type Ledger, ledgerLine } from './ledger.ts';
import { countLedger, ID_BYTES } from './read-ledger.ts';
import { countByTotals, readTotals, waitUntilSettled } from './wait-until-settled.ts';

/** Fields of a submitted transaction that a file must have. */
const REQUIRED = [
  ...(['idempotency_key', 'account_id', 'merchant_id', 'amount', 'currency', 'corridor'] as const),
];

/** In the order in which they are sent. */
export const FIELDS = [
  ...REQUIRED,
  ...(['created_at', 'type', 'ip', 'device_id', 'country', 'channel', 'metadata'] as const),
];
type Field = (typeof FIELDS)[number];

export function transactionProjection(mapping: Mapping<Field>): Projection {
  return projectionOf<Field>(mapping, {
    needed: REQUIRED.map((field) => [field]),
    toBody: (read) => {
      const values = FIELDS.map((field) => [field, read(field)] as const);
      const given = values.filter(([, value]) => value !== undefined);
      const { metadata, ...body } = Object.fromEntries(given);
      return metadata === undefined ? body : { ...body, metadata: parsedOrSame(metadata) };
    },
  });
}

/** Metadata is JSON in a cell. */
function parsedOrSame(value: unknown): unknown {
  try {
    return typeof value === 'string' ? JSON.parse(value) : value;
  } catch {
    return value;
  }
}

/** Ids of 16 bytes each, as a replay remembers every accepted row. */
export function packIds(ids: readonly string[]): Buffer {
  const packed = Buffer.from(ids.join('').replaceAll('-', ''), 'hex');
  if (packed.length !== ids.length * ID_BYTES) throw notTheContract();
  return packed;
}

const CONNECTIONS = 4;
const SETTLE_TIMEOUT_SECONDS = 120;
const SETTLE_TIMEOUT_SECONDS_MAX = 86_400;
/** Bound on one count of a ledger of millions. */
const COUNT_TIMEOUT_MS = 600_000;

type ReplaySettings = FileSettings<Field> & {
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
} as const satisfies Partial<ReplaySettings>;

type ReplayContext = Pick<CommandContext, 'config' | 'output' | 'signal'>;

/** Replays the file and waits for its end; shows progress and refused rows on standard error. */
export async function replayToLedger(
  settings: ReplaySettings,
  { config, output, signal }: ReplayContext,
): Promise<{ ledger: Ledger; posted: Posted }> {
  const client = createApiClient({ ...settings, signal });
  await using database = openLedgerDatabase(settings.databaseUrl, config);
  const before = database === undefined ? await readTotals(client).catch(nullIfUnavailable) : null;
  const startedMs = performance.now();
  const receivedFromMs = Date.now();
  const accepted: Buffer[] = [];
  // Duplicates that an earlier try of this replay may have stored.
  const repeated: Buffer[] = [];
  const rowsOf = { accepted: 0, duplicate: 0 };
  const route = {
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
  const quietMsMax = settings.settleTimeoutMs;
  const posting = { ...settings, outageMsMax: quietMsMax };
  const projection = transactionProjection(settings.mapping);
  const posted = await postWithProgress(posting, projection, route, { output, signal });
  const settled = await waitUntilSettled(
    () => readTotals(client),
    database === undefined
      ? countByTotals(before, rowsOf.accepted)
      : () => countLedger(database, { accepted, repeated, receivedFromMs }),
    {
      accepted: rowsOf.accepted,
      quietMsMax,
      signal,
      onProgress: (final) => output.progress(`scoring ${final} of ${rowsOf.accepted} final`),
      onWaiting: (reason) => output.note(`waiting: ${reason}`),
    },
  );
  const elapsedMs = performance.now() - startedMs;
  const duplicates = rowsOf.duplicate - settled.repeatedAccepted;
  return { ledger: createLedger({ ...settled, duplicates, elapsedMs }), posted };
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

async function run(args: string[], context: CommandContext): Promise<number> {
  const { config } = context;
  const options = { ...FILE_OPTIONS, 'settle-timeout': { type: 'string' } } as const;
  const { values, positionals } = parseArguments(args, options, { required: ['FILE'] });
  const bounds = { min: 1, max: SETTLE_TIMEOUT_SECONDS_MAX };
  const timeout = values['settle-timeout'];
  const seconds = integerOption('--settle-timeout', timeout, bounds, SETTLE_TIMEOUT_SECONDS);
  const settings: ReplaySettings = {
    ...fileOptions(positionals, values, context, FIELDS, CONNECTIONS),
    databaseUrl: config.DATABASE_URL,
    settleTimeoutMs: seconds * 1000,
  };
  const said = 'the same command again repeats nothing';
  const replayed = await unlessStopped(context, said, replayToLedger(settings, context));
  return replayed === undefined ? EXIT.failed : report(settings, replayed, context.output);
}

function report(
  settings: ReplaySettings,
  { ledger, posted }: { ledger: Ledger; posted: Posted },
  output: Output,
): number {
  noteRefused(posted, output);
  const { refused, refusedFirst } = posted;
  if (settings.databaseUrl === undefined) {
    output.note('without DATABASE_URL: scored and dead_lettered are differences of GET /v1/status');
  }
  output.value({ ...ledger, refused, refused_first: refusedFirst }, [ledgerLine(ledger)]);
  const nothingTaken = refused > 0 && ledger.accepted + ledger.duplicates === 0;
  return balances(ledger) && !nothingTaken ? EXIT.fine : EXIT.failed;
}

const SUMMARY =
  'Posts the transactions of a CSV or NDJSON file (.gz too) to a running API and prints the ledger: what was accepted against what became of it. Rows are idempotent by their key, so a file may be replayed again at any time. Exit code 0 when nothing is lost, doubled or pending';

export const command: Command = {
  name: 'replay',
  summary: 'Posts a file of transactions to a running API; prints the ledger.',
  usage: usageText(
    'replay FILE',
    [
      {
        word: '',
        words: '',
        summary: SUMMARY,
        asksApi: true,
        options: {
          ...fileOptionTexts(CONNECTIONS),
          '--settle-timeout SECONDS': `Give up after so long without any progress (${SETTLE_TIMEOUT_SECONDS})`,
        },
      },
    ],
    `With DATABASE_URL the ledger is counted in SQL over the accepted ids; without it, from GET /v1/status.

Example: risk replay payments.csv.gz --map account_id=customer,idempotency_key=id --set currency=USD,corridor=US-US`,
  ),
  run,
};
