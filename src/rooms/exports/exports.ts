/** Exports of one API process: as many at a time as may run, each in the audit log as it begins and as it ends. */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay, setImmediate as othersRan } from 'node:timers/promises';
import { recordChange } from '../../kit/audit/audit-log.ts';
import type { Databases } from '../../kit/database/replica/choose-database.ts';
import type { AuditAction } from '../../kit/words/audit.ts';
import { COMMIT_UNKNOWN, Failure, isUnavailable } from '../../kit/words/failure.ts';
import type { Actor } from '../../kit/words/principal.ts';
import { charsOf, type ExportRow, type FlatColumn } from './columns.ts';
import type { ExportMetrics } from './metrics.ts';
import { type ExportParameters, PARQUET_ROWS_MAX } from './parameters.ts';
import { FULL_PACE, type Pace, type Piece, prepareExport, type ReadExport } from './read-rows.ts';
import { csvHeader } from './write/csv.ts';
import { lastJsonLine, toJsonLines } from './write/ndjson.ts';
import { createParquetFile, ROW_GROUP_CHARS, ROW_GROUP_ROWS } from './write/parquet.ts';

export type Exports = {
  /** The primary is a pool for exports alone. */
  readonly databases: Databases;
  readonly metrics: ExportMetrics;
  /** Whether the flag is off: an export that runs breaks off. */
  readonly isOff: () => boolean;
  /** Whether transactions are being submitted to this process. */
  readonly isSubmitting: () => boolean;
  /** Most exports at a time. */
  readonly max: number;
  running: number;
  /** Aborted once the process drains, which waits for no store. */
  readonly draining: AbortSignal;
  /** Each promise resolves once the end of its export is in the audit log. */
  readonly endings: Set<Promise<void>>;
};

type ExportSink = Pick<ReturnType<typeof createSlowedStream>, 'send' | 'close'> & {
  /** Aborted when nobody takes the bytes any more, or the process drains. */
  readonly signal: AbortSignal;
  /** Whether the key or session of the export is still in force; asked before each piece. */
  readonly isAllowed: () => Promise<boolean>;
};

export type BegunExport = {
  readonly exportId: string;
  readonly asked: ExportParameters;
  readonly by: Actor;
  readonly read: ReadExport;
};

/**
 * While transactions are submitted, an export rests so many times as long as it worked: by 19 it takes at most a twentieth of the thread.
 * With a tenth, the p99 of posts on two busy cores was 1.5 and 1.7 times that without an export, with a quarter 2.2. Postgres makes CSV.
 */
const REST_TIMES = { csv: 4, ndjson: 19, parquet: 19 } as const;
/** Beyond what a row group of Parquet asks for, a long piece is one that waited for Postgres. */
const REST_MS_MAX = 2000;
const END_RETRY_MS = 1000;
/**
 * A page of EXPORT_PAGE_ROWS takes Postgres a twentieth of a second, and 100 rows take 2 ms of the event loop: a post waits for less.
 */
const BUSY_PACE: Pace = { pageRows: 1000, takenRows: 100 };

type Rows = AsyncIterable<readonly ExportRow[]>;

const paceOf = ({ isSubmitting }: Exports): Pace => (isSubmitting() ? BUSY_PACE : FULL_PACE);

/**
 * Undefined: as many exports are running as may. The caller must run an export that was begun.
 * @param databases those of the exports, as the request may read them
 * @param question  the parameters as they were given
 */
export async function beginExport(
  exports: Exports,
  databases: Databases,
  asked: ExportParameters,
  question: Readonly<Record<string, string>>,
  by: Actor,
): Promise<BegunExport | undefined> {
  if (exports.running >= exports.max) return undefined;
  exports.running += 1;
  try {
    const pace = () => paceOf(exports);
    const begun = {
      exportId: randomUUID(),
      asked,
      by,
      read: await prepareExport(databases, asked, pace),
    };
    await record(exports, begun, 'export.begin', { question });
    return begun;
  } catch (error) {
    exports.running -= 1;
    throw error;
  }
}

/** Rejects where the export breaks off. */
export function runExport(exports: Exports, begun: BegunExport, sink: ExportSink): Promise<void> {
  const ending = runToEnd(exports, begun, sink).finally(() => exports.endings.delete(ending));
  exports.endings.add(ending);
  return ending;
}

async function runToEnd(
  exports: Exports,
  begun: BegunExport,
  { send, close, signal, isAllowed }: ExportSink,
): Promise<void> {
  const { metrics, isSubmitting } = exports;
  const { format } = begun.asked;
  let rows = 0;
  let outcome: 'complete' | 'broken_off' = 'broken_off';
  let beganMs = performance.now();
  try {
    const body = writeBody(begun.read, begun.asked, signal);
    for await (const piece of body) {
      const workedMs = performance.now() - beganMs;
      if (!(await isAllowed())) {
        throw new Failure('unavailable', 'CALLER_ENDED', 'the key or session has ended');
      }
      await send(piece.bytes);
      const restMs = isSubmitting() ? Math.min(REST_MS_MAX, REST_TIMES[format] * workedMs) : 0;
      if (restMs > 0) await delay(restMs, undefined, { signal }).catch(() => undefined);
      signal.throwIfAborted();
      if (exports.isOff()) throw new Failure('unavailable', 'FLAG_OFF', 'exports are off');
      rows += piece.rows;
      metrics.exportRows.inc({ format }, piece.rows);
      beganMs = performance.now();
    }
    await close();
    outcome = 'complete';
  } finally {
    exports.running -= 1;
    metrics.exportsEnded.inc({ format, outcome });
    await recordEnd(exports, begun, { outcome, rows });
  }
}

/** Without its end an export would look as if it ran for ever, so the end waits for a Postgres that is away. */
async function recordEnd(exports: Exports, begun: BegunExport, after: object): Promise<void> {
  for (;;) {
    try {
      await record(exports, begun, 'export.end', after);
      return;
    } catch (error) {
      const isInDoubt = error instanceof Failure && error.code === COMMIT_UNKNOWN;
      if (!isUnavailable(error) || isInDoubt || exports.draining.aborted) throw error;
      await delay(END_RETRY_MS);
    }
  }
}

async function record(
  { databases }: Exports,
  { exportId, by }: Pick<BegunExport, 'exportId' | 'by'>,
  action: AuditAction,
  after: object,
): Promise<void> {
  await databases.primary.transaction((query) =>
    recordChange(query, by, { action, subject: exportId, before: null, after }),
  );
}

/** Writes the rows of an export in its form. `after` says that the reader has rows already: CSV has no header then. */
export function writeBody(
  read: ReadExport,
  { format, fields, after }: Pick<ExportParameters, 'format' | 'fields' | 'after'>,
  signal: AbortSignal,
): AsyncGenerator<Piece, void> {
  switch (format) {
    case 'csv':
      return writeCsv(read.csv(fields, signal), fields, after !== undefined);
    case 'ndjson':
      return writeLines(read.rows(Infinity, signal));
    case 'parquet':
      return writeParquet(read.rows(PARQUET_ROWS_MAX, signal), fields);
  }
}

async function* writeCsv(
  pages: AsyncIterable<Piece>,
  columns: readonly FlatColumn[],
  isContinued: boolean,
) {
  if (!isContinued) yield { bytes: csvHeader(columns), rows: 0 };
  yield* pages;
}

async function* writeLines(pieces: Rows) {
  let all = 0;
  for await (const rows of pieces) {
    all += rows.length;
    yield { bytes: toJsonLines(rows), rows: rows.length };
  }
  yield { bytes: lastJsonLine(all), rows: 0 };
}

async function* writeParquet(pieces: Rows, columns: readonly FlatColumn[]) {
  const file = createParquetFile(columns);
  let group: ExportRow[] = [];
  let chars = 0;
  for await (const rows of pieces) {
    for (const row of rows) {
      group.push(row);
      chars += charsOf([row]);
      if (group.length < ROW_GROUP_ROWS && chars < ROW_GROUP_CHARS) continue;
      yield { bytes: await file.write(group), rows: group.length };
      group = [];
      chars = 0;
      await othersRan();
    }
  }
  if (group.length > 0) yield { bytes: await file.write(group), rows: group.length };
  yield { bytes: await file.finish(), rows: 0 };
}

/** A body that goes out as fast as its reader takes it: one piece waits at most, and the writer waits for room. */
export function createSlowedStream() {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>(
    undefined,
    { highWaterMark: 1 },
    { highWaterMark: 0 },
  );
  const writer = writable.getWriter();
  const gone = new AbortController();
  const leave = () => gone.abort(new Failure('unavailable', 'READER_GONE', 'the reader has gone'));
  writer.closed.catch(leave);
  return {
    body: readable,
    /** Resolves once there is room for more. */
    send: async (bytes: Uint8Array) => {
      await writer.ready;
      writer.write(bytes).catch(leave);
    },
    /** Resolves once everything is taken. */
    close: () => writer.close(),
    /** Ends the body so that its reader sees that it is not whole. */
    breakOff: async (error: unknown) => {
      await writer.abort(error).catch(() => undefined);
    },
    /** Aborted when the reader has gone. */
    gone: gone.signal,
  };
}
