/**
 * `risk replay FILE`: posts a file of transactions to a running API, waits until all of them are
 * final, and prints the ledger. `replayToLedger` is also what `risk start` runs on its sample.
 */
import { createApiClient } from '../../kit/client/api-client.ts';
import { FIELDS, type Field, transactionProjection } from '../../kit/client/fields.ts';
import { createReplayProgress } from '../../kit/client/progress.ts';
import { REFUSED_SHOWN_MAX } from '../../kit/client/refused-rows.ts';
import { openSource } from '../../kit/client/rows.ts';
import {
  type Command,
  type CommandContext,
  EXIT,
  integerOption,
  parseArguments,
} from '../../kit/command/command.ts';
import {
  BATCH_ROWS_MAX,
  FILE_OPTIONS,
  type FileSettings,
  fileOptions,
} from '../../kit/command/file-options.ts';
import type { Output } from '../../kit/command/output.ts';
import type { Config } from '../../kit/config/config.ts';
import { openDatabase } from '../../kit/database/open-database.ts';
import type { Database } from '../../kit/database/pool.ts';
import { isUnavailable } from '../../kit/words/failure.ts';
import { balances, createLedger, type Ledger, ledgerLine } from './ledger.ts';
import { countLedger } from './read-ledger.ts';
import { type ReplayResult, replayFile } from './replay-file.ts';
import { countByTotals } from './totals-difference.ts';
import { type CountSettled, readTotals, waitUntilSettled } from './wait-until-settled.ts';

const CONNECTIONS = 4;
const SETTLE_TIMEOUT_SECONDS = 120;
/** Bound on one count of a ledger of millions. */
const COUNT_TIMEOUT_MS = 600_000;

const USAGE = `risk replay FILE [options]

Posts the transactions of a CSV or NDJSON file (.gz too) to a running API and prints the ledger: what
was accepted against what became of it. Rows are idempotent by their key, so a file may be replayed
again at any time. Exit code 0 when nothing is lost, doubled or pending.

  --map FIELD=COLUMN,...     columns that have another name in the file
  --set FIELD=VALUE,...      fields that are the same in every row
  --batch N                  rows a request, 1 to ${BATCH_ROWS_MAX} (${BATCH_ROWS_MAX})
  --connections N            requests at a time, 1 to 64 (${CONNECTIONS})
  --rate N                   at most so many transactions a second (as fast as the API answers)
  --resume FILE              remember here how far it came, and go on from there
  --settle-timeout SECONDS   give up after so long without any progress (${SETTLE_TIMEOUT_SECONDS})
  --url URL                  the API (RISK_URL); its key is read from RISK_API_KEY

With DATABASE_URL the ledger is counted in SQL over the accepted ids; without it, from GET /v1/status.

Example: risk replay payments.csv.gz --map account_id=customer,idempotency_key=id --set currency=USD,corridor=US-US
`;

type ReplaySettings = FileSettings<Field> & {
  readonly file: string;
  readonly databaseUrl: string | undefined;
  readonly rowsPerSecond: number | null;
  readonly settleTimeoutMs: number;
  readonly checkpointPath: string | null;
};

/** Settings for a file that already has the API's fields. */
export const PLAIN_REPLAY = {
  mapping: { columns: {}, constants: {} },
  batchRows: BATCH_ROWS_MAX,
  connections: CONNECTIONS,
  rowsPerSecond: null,
  settleTimeoutMs: SETTLE_TIMEOUT_SECONDS * 1000,
  checkpointPath: null,
} as const satisfies Partial<ReplaySettings>;

type ReplayContext = Pick<CommandContext, 'config' | 'output' | 'signal'>;

/** Replays the file and waits for its end; shows progress and refused rows on standard error. */
export async function replayToLedger(
  settings: ReplaySettings,
  { config, output, signal }: ReplayContext,
): Promise<{ ledger: Ledger; result: ReplayResult }> {
  const { url, key, connections } = settings;
  const source = await openSource(settings.file, transactionProjection(settings.mapping));
  using client = createApiClient({ url, key, connections, signal });
  await using database = openLedgerDatabase(settings.databaseUrl, config);
  using progress = createReplayProgress(output.progressTerminal, output.note);
  const before = database === undefined ? await readTotals(client).catch(nullIfUnavailable) : null;
  const startedMs = performance.now();
  const startedAtMs = Date.now();
  const result = await replayFile(client, source, {
    ...settings,
    outageMsMax: settings.settleTimeoutMs,
    signal,
    onProgress: progress.posting,
    onWaiting: (reason) => output.note(`waiting for the API: ${reason}`),
  });
  progress.posted(result.accepted.size());
  const settled = await waitUntilSettled(
    () => readTotals(client),
    database === undefined
      ? countByTotals(before, result.accepted.size())
      : countIn(database, result, startedAtMs),
    {
      accepted: result.accepted.size(),
      quietMsMax: settings.settleTimeoutMs,
      signal,
      onProgress: progress.settling,
      onWaiting: (reason) => output.note(`waiting: ${reason}`),
    },
  );
  const elapsedMs = performance.now() - startedMs;
  const duplicates = result.duplicates - settled.repeatedAccepted;
  return { ledger: createLedger({ ...settled, duplicates, elapsedMs }), result };
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

function countIn(database: Database, result: ReplayResult, receivedFromMs: number): CountSettled {
  return () =>
    countLedger(database, {
      accepted: result.accepted.chunks(),
      repeated: result.repeated.chunks(),
      receivedFromMs,
    });
}

function parseReplay(args: string[], config: Config): ReplaySettings {
  const { values, positionals } = parseArguments(
    args,
    {
      ...FILE_OPTIONS,
      rate: { type: 'string' },
      resume: { type: 'string' },
      'settle-timeout': { type: 'string' },
    },
    { required: ['FILE'] },
  );
  const integer = <D>(name: 'rate' | 'settle-timeout', max: number, byDefault: D) =>
    integerOption(`--${name}`, values[name], { min: 1, max }, byDefault);
  return {
    ...fileOptions(values, config, FIELDS, CONNECTIONS),
    file: positionals[0] ?? '',
    databaseUrl: config.DATABASE_URL,
    rowsPerSecond: integer('rate', 1_000_000, null),
    settleTimeoutMs: integer('settle-timeout', 86_400, SETTLE_TIMEOUT_SECONDS) * 1000,
    checkpointPath: values.resume ?? null,
  };
}

/** Prints the refused rows with their reasons, before the ledger. */
export function noteRefused(
  result: Pick<ReplayResult, 'refused' | 'refusedFirst'>,
  output: Output,
): void {
  for (const { line, detail } of result.refusedFirst) output.error(`line ${line}: ${detail}`);
  if (result.refused > REFUSED_SHOWN_MAX) {
    output.error(`… and ${result.refused - REFUSED_SHOWN_MAX} more`);
  }
  if (result.refused > 0) output.error(`${result.refused} rows were refused and not stored`);
}

async function run(args: string[], context: CommandContext): Promise<number> {
  const { output, config, signal } = context;
  const settings = parseReplay(args, config);
  const replayed = await replayToLedger(settings, context).catch((error: unknown) => {
    if (signal.aborted) return undefined;
    throw error;
  });
  if (replayed === undefined) {
    const next = settings.checkpointPath === null ? '' : ' and goes on where it stopped';
    output.note(`stopped; the same command again repeats nothing${next}`);
    return EXIT.failed;
  }
  return report(settings, replayed, output);
}

function report(
  settings: ReplaySettings,
  { ledger, result }: { ledger: Ledger; result: ReplayResult },
  output: Output,
): number {
  noteRefused(result, output);
  if (result.skipped > 0) output.note(`skipped ${result.skipped} rows answered before`);
  if (settings.databaseUrl === undefined) {
    output.note('without DATABASE_URL: scored and dead_lettered are differences of GET /v1/status');
  }
  const { skipped, refused, refusedFirst } = result;
  output.value({ ...ledger, skipped, refused, refused_first: refusedFirst }, [ledgerLine(ledger)]);
  const nothingTaken = refused > 0 && ledger.accepted + ledger.duplicates === 0;
  return balances(ledger) && !nothingTaken ? EXIT.fine : EXIT.failed;
}

export const command: Command = {
  name: 'replay',
  summary: 'Post a file of transactions to a running API; prints the ledger.',
  usage: USAGE,
  run,
};
