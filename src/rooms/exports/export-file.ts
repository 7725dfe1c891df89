/**
 * Exports to a file, or to parts of a million rows as Parquet, over transfers that may break off. Rows go to a partial file, which
 * gets its name once it is whole.
 */
import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises';
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
import { z } from 'zod';
import {
  type ApiOptions,
  ApiUnavailable,
  createRetries,
  fetchApi,
  type Retries,
  type RetryOptions,
  readAnswer,
  refusal,
  unlessAborted,
} from '../../kit/client/api-client.ts';
import { readState, writeState } from '../../kit/client/state-file.ts';
import { Failure } from '../../kit/words/failure.ts';
import { PARQUET_ROWS_MAX } from './parameters.ts';

type ExportOptions = ApiOptions &
  RetryOptions & {
    readonly headers: Readonly<Record<string, string>>;
    /** The parameters but `after`. */
    readonly question: Readonly<Record<string, string>>;
    readonly output: string;
    readonly onRows: (rows: number) => void;
  };

type Exported = { readonly rows: number; readonly files: readonly string[] };

/** How far an export has come: the command begins there after a stop. */
const stateSchema = z.object({
  /** The parameters: another question is another export. */
  question: z.record(z.string(), z.string()),
  /** Transaction id of the last whole row; absent before the first. */
  after: z.string().optional(),
  rows: z.int().min(0),
  /** Bytes of whole rows in the partial file. */
  bytes: z.int().min(0),
  /** Parquet files that are whole. */
  parts: z.int().min(0),
});
type ExportState = z.infer<typeof stateSchema>;

const PATH = '/v1/exports/transactions';
/** A stop repeats as many bytes at most. */
const STATE_EVERY_BYTES = 32 * 1024 * 1024;

const LINE_END = 0x0a;
const QUOTE = 0x22;
/** Every row begins with its transaction's id: as a cell, or as the first member of an object. */
const ID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/;
const BEGINNING_BYTES = 64;

type RowTracker = {
  /** Takes the next bytes; returns how many of all bytes so far are whole rows. */
  readonly add: (bytes: Uint8Array) => number;
  readonly rows: () => number;
  /** Id of the last whole row. */
  readonly last: () => string | undefined;
  /** Rows that the last line says were sent, which is no row; undefined without such a line. */
  readonly said: () => number | undefined;
};

const partialOf = (path: string) => `${path}.partial`;
const stateOf = (output: string) => `${output}.state`;

export async function exportFile(options: ExportOptions): Promise<Exported> {
  const { output, question } = options;
  const write = question['format'] === 'parquet' ? exportParts : exportRows;
  const exported = await write(options, await beginState(options), createRetries(options));
  await rm(stateOf(output), { force: true });
  return exported;
}

/** Begins anew where the partial file lacks bytes that the state counts, as after a loss of power: they would be zeros. */
async function beginState({ output, question }: ExportOptions): Promise<ExportState> {
  const known = Object.entries(question).sort().join();
  // A state without rows has nothing to lose: its question may have been refused.
  const isOurs = (state: ExportState) =>
    state.rows === 0 || Object.entries(state.question).sort().join() === known;
  const state = await readState(stateOf(output), stateSchema, isOurs, 'this export');
  const bytes = await stat(partialOf(output)).then(
    ({ size }) => size,
    () => 0,
  );
  if (state !== undefined && state.rows > 0 && bytes >= state.bytes) return state;
  return { question, rows: 0, bytes: 0, parts: 0 };
}

async function openFile(path: string, flags: 'w' | 'r+'): Promise<FileHandle> {
  return await open(path, flags).catch((error: Error) => {
    throw new Failure('invalid', 'FILE_UNWRITABLE', error.message, { cause: error });
  });
}

async function exportRows(
  options: ExportOptions,
  begun: ExportState,
  retries: Retries,
): Promise<Exported> {
  const { output, question } = options;
  let state = begun;
  await using file = await openFile(partialOf(output), state.bytes === 0 ? 'w' : 'r+');
  await retries(async (progressed) => {
    const from = state;
    // Bytes of a row that is not whole are written over.
    await file.truncate(from.bytes);
    const tracker = createRowTracker(question['format'] === 'csv');
    const save = () => writeState(stateOf(output), state);
    let whole = from.bytes;
    const received = async (bytes: Uint8Array, at: number) => {
      await file.write(bytes, 0, bytes.length, from.bytes + at);
      whole = from.bytes + tracker.add(bytes);
      // A header without a row comes again.
      if (tracker.rows() === 0) return;
      state = { ...from, rows: from.rows + tracker.rows(), bytes: whole, after: tracker.last() };
      progressed();
      options.onRows(state.rows);
    };
    try {
      await transfer(options, from.after, received, save);
    } finally {
      await save();
    }
    // The line that says how many rows were sent is no row of the file.
    await file.truncate(whole);
    const said = question['format'] === 'ndjson' ? tracker.said() : tracker.rows();
    if (said === tracker.rows()) return;
    const why = `the API says that it sent ${said ?? 'no last line'}, and ${tracker.rows()} rows came`;
    throw new Failure('invalid', 'EXPORT_INCOMPLETE', why);
  });
  await file.sync();
  await rename(partialOf(output), output);
  return { rows: state.rows, files: [output] };
}

async function exportParts(
  options: ExportOptions,
  begun: ExportState,
  retries: Retries,
): Promise<Exported> {
  const { output } = options;
  let state = begun;
  const files = Array.from({ length: state.parts }, (_, at) => partName(output, at + 1));
  for (;;) {
    const path = partName(output, state.parts + 1);
    await retries(async () => {
      await using file = await openFile(partialOf(path), 'w');
      const received = async (bytes: Uint8Array, at: number) => {
        await file.write(bytes, 0, bytes.length, at);
      };
      await transfer(options, state.after, received, async () => undefined);
      await file.sync();
    });
    const { rows, last } = await readPart(partialOf(path));
    // An export without rows is a file without rows; after a full part it is none.
    if (rows === 0 && state.parts > 0) break;
    await rename(partialOf(path), path);
    files.push(path);
    const after = last ?? state.after;
    state = { ...state, bytes: 0, rows: state.rows + rows, parts: state.parts + 1, after };
    await writeState(stateOf(output), state);
    options.onRows(state.rows);
    if (rows < PARQUET_ROWS_MAX) break;
  }
  return { rows: state.rows, files };
}

/** `a/b.parquet` is `a/b-0001.parquet` and so on. */
const partName = (output: string, part: number) =>
  `${output.replace(/\.parquet$/, '')}-${String(part).padStart(4, '0')}.parquet`;

/** Reads the footer, which a file that is not whole lacks. */
async function readPart(path: string): Promise<{ rows: number; last: string | undefined }> {
  const file = await asyncBufferFromFile(path);
  const metadata = await parquetMetadataAsync(file);
  const rows = Number(metadata.num_rows);
  if (rows === 0) return { rows, last: undefined };
  const [last] = await parquetReadObjects({
    file,
    metadata,
    columns: ['transaction_id'],
    rowStart: rows - 1,
    rowEnd: rows,
  });
  return { rows, last: String(last?.['transaction_id']) };
}

/** Makes a request for the rows after `after`. @throws ApiUnavailable where the request breaks off */
async function transfer(
  options: ExportOptions,
  after: string | undefined,
  received: (bytes: Uint8Array, at: number) => Promise<void>,
  onProgress: () => Promise<void>,
): Promise<void> {
  const { url, headers, outageMsMax } = options;
  // A connection that a router forgot stays open without a byte: the body alone would be waited for without an end.
  const idle = new AbortController();
  const quiet = `${new URL(url).origin}: no byte within ${outageMsMax} ms`;
  using timer = setTimeout(() => idle.abort(new ApiUnavailable(quiet)), outageMsMax);
  const signal = AbortSignal.any([options.signal, idle.signal]);
  const query = new URLSearchParams({ ...options.question, ...(after && { after }) });
  const response = await fetchApi({ ...options, signal }, `${PATH}?${query}`, { headers });
  if (!response.ok) throw refusal(await readAnswer({ ...options, signal }, response));
  let at = 0;
  let noted = 0;
  const reader = (response.body ?? new ReadableStream()).getReader();
  for (;;) {
    const { done, value } = await reader.read().catch(unlessAborted(url, signal));
    timer.refresh();
    if (done) return;
    await received(value, at);
    at += value.length;
    if (at - noted < STATE_EVERY_BYTES) continue;
    noted = at;
    await onProgress();
  }
}

/**
 * Finds where rows end in a transfer of CSV or NDJSON, so that one that breaks off within a row goes on behind the last whole one.
 * @param isCsv a line end within quotes ends no row; the first line without an id is a header
 */
function createRowTracker(isCsv: boolean): RowTracker {
  let seen = 0;
  let whole = 0;
  let rows = 0;
  let last: string | undefined;
  let said: number | undefined;
  let isQuoted = false;
  let beginning = '';
  const endRow = (end: number) => {
    const id = ID.exec(beginning)?.[0];
    if (id !== undefined) {
      last = id;
      rows += 1;
    } else if (!isCsv) {
      said = Number(/"rows":(\d+)/.exec(beginning)?.[1]);
      return;
    }
    whole = end;
  };
  const lineEnd = (bytes: Uint8Array, from: number): number => {
    if (!isCsv) return bytes.indexOf(LINE_END, from);
    for (let at = from; at < bytes.length; at++) {
      if (bytes[at] === QUOTE) isQuoted = !isQuoted;
      else if (bytes[at] === LINE_END && !isQuoted) return at;
    }
    return -1;
  };
  return {
    add: (bytes) => {
      for (let at = 0; at < bytes.length; ) {
        const end = lineEnd(bytes, at);
        const stop = end === -1 ? bytes.length : end;
        const missing = BEGINNING_BYTES - beginning.length;
        if (missing > 0) {
          beginning += Buffer.from(bytes.subarray(at, Math.min(stop, at + missing))).toString(
            'latin1',
          );
        }
        if (end === -1) break;
        endRow(seen + end + 1);
        beginning = '';
        at = end + 1;
      }
      seen += bytes.length;
      return whole;
    },
    rows: () => rows,
    last: () => last,
    said: () => said,
  };
}
