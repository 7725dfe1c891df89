/** Posts files of transactions to a running API, and waits until all of them are final: `risk replay`, and `risk start` on its sample. */
import type { TransactionField } from '../../core/domain/file-rows.ts';
import { createApiClient, notTheContract } from '../../kit/client/api-client.ts';
import type { AcceptedBatch } from '../../kit/client/api-types.ts';
import {
  type Posted,
  REFUSED_SHOWN_MAX,
  type RowsRoute,
  sortByLine,
} from '../../kit/client/post-file.ts';
import type { CommandContext } from '../../kit/command/command.ts';
import {
  BATCH_ROWS_MAX,
  createLabelsRoute,
  type FileSettings,
  postWithProgress,
} from '../../kit/command/file-options.ts';
import type { Config } from '../../kit/config/config.ts';
import { openDatabase } from '../../kit/database/open-database.ts';
import type { Database } from '../../kit/database/pool.ts';
import { isUnavailable } from '../../kit/words/failure.ts';
import { createLedger } from './ledger.ts';
import { countLedger, ID_BYTES } from './read-ledger.ts';
import { type Kind, openParts, type Parts, type ReplayFiles } from './timed-source.ts';
import { countByTotals, readTotals, waitUntilSettled } from './wait-until-settled.ts';

/** Ids of 16 bytes each, as a replay remembers every accepted row. */
export function packIds(ids: readonly string[]): Buffer {
  const packed = Buffer.from(ids.join('').replaceAll('-', ''), 'hex');
  if (packed.length !== ids.length * ID_BYTES) throw notTheContract();
  return packed;
}

export const CONNECTIONS = 4;
export const SETTLE_TIMEOUT_SECONDS = 120;
/** Bound on one count of a ledger of millions. */
const COUNT_TIMEOUT_MS = 600_000;

export type ReplaySettings = FileSettings<TransactionField> &
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
} as const satisfies Partial<ReplaySettings>;

type ReplayContext = Pick<CommandContext, 'config' | 'environment' | 'output' | 'signal'>;

export type Replayed = Awaited<ReturnType<typeof replayToLedger>>;

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
  const posted = await postParts(settings, await openParts(settings, context), routes, context);
  const settled = await waitUntilSettled(
    () => readTotals(client),
    database === undefined
      ? countByTotals(before, rowsOf.accepted)
      : () => countLedger(database, { accepted, repeated, receivedFromMs }),
    {
      accepted: rowsOf.accepted,
      quietMsMax: settings.settleTimeoutMs,
      signal,
      onProgress: (final) => output.progress(`scoring ${final} of ${rowsOf.accepted} final`),
      onWaiting: (reason) => output.note(`waiting: ${reason}`),
    },
  );
  const elapsedMs = performance.now() - startedMs;
  const duplicates = rowsOf.duplicate - settled.repeatedAccepted;
  const ledger = createLedger({ ...settled, duplicates, elapsedMs });
  return { ledger, posted, labels: labelsRoute.sum };
}

/** Posts a part when all before it are answered: the API finds the transactions of a label. */
async function postParts(
  settings: ReplaySettings,
  { parts, shareRead }: Parts,
  routes: Readonly<Record<Kind, RowsRoute>>,
  context: ReplayContext,
): Promise<Posted> {
  const posting = { ...settings, outageMsMax: settings.settleTimeoutMs };
  let refused = 0;
  let refusedFirst: Posted['refusedFirst'] = [];
  for await (const { kind, rows } of parts) {
    const source = { rows: () => rows, shareRead };
    const posted = await postWithProgress(posting, source, routes[kind], context);
    refused += posted.refused;
    refusedFirst = [...refusedFirst, ...posted.refusedFirst].slice(0, REFUSED_SHOWN_MAX);
  }
  return { refused, refusedFirst: sortByLine(refusedFirst) };
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
