/**
 * Exports to a file, or to parts of 250,000 rows as Parquet, over transfers that may break off. Rows go to a partial file, which
 * gets its name once it is whole.
 */
import { hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
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
import { lockFile, unwritable } from '../../kit/process/lock-file.ts';
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

const PATH = '/v1/exports/transactions';

const LINE_END = 0x0a;
const QUOTE = 0x22;
/** Every row begins with its transaction's id: as a cell, or as the first member of an object. */
const ID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/;
const BEGINNING_BYTES = 64;
const DIGEST_CHARS = 8;

/** Another question is another export, and has a partial file of its own. */
function partialOf(path: string, question: ExportOptions['question']): string {
  const digest = hash('sha256', JSON.stringify(Object.entries(question).sort()), 'hex');
  return `${path}.${digest.slice(0, DIGEST_CHARS)}.partial`;
}

export async function exportFile(options: ExportOptions): Promise<Exported> {
  const write = options.question['format'] === 'parquet' ? exportParts : exportRows;
  // Rows of two exports would be mixed.
  await using _lock = await lockFile(options.output, 'exports to');
  return await write(options, createRetries(options));
}

async function openFile(path: string, flags: 'w' | 'a+'): Promise<FileHandle> {
  return await open(path, flags).catch((error: Error) => {
    throw unwritable(error);
  });
}

/** Goes on behind the last whole row of the partial file. */
async function exportRows(options: ExportOptions, retries: Retries): Promise<Exported> {
  const { output, question, onRows } = options;
  const partial = partialOf(output, question);
  const tracker = createRowTracker(question['format'] === 'csv');
  await using file = await openFile(partial, 'a+');
  for await (const bytes of createReadStream(partial)) tracker.add(bytes);
  await retries(async (progressed) => {
    // Bytes of a row that is not whole come again.
    await file.truncate(tracker.begin());
    const before = tracker.rows();
    await transfer(options, tracker.last(), async (bytes) => {
      await file.appendFile(bytes);
      tracker.add(bytes);
      if (tracker.rows() === before) return;
      progressed();
      onRows(tracker.rows());
    });
    // The line that says how many rows were sent is no row of the file.
    await file.truncate(tracker.whole());
    const came = tracker.rows() - before;
    const said = tracker.said();
    if (question['format'] === 'csv' || said === came) return;
    const why = `the API says that it sent ${said ?? 'no last line'}, and ${came} rows came`;
    throw new Failure('invalid', 'EXPORT_INCOMPLETE', why);
  });
  await file.sync();
  await rename(partial, output);
  return { rows: tracker.rows(), files: [output] };
}

/** Goes on behind the last part that is whole. A part gets its name once all parts are there. */
async function exportParts(options: ExportOptions, retries: Retries): Promise<Exported> {
  const { output, question, onRows } = options;
  const files: string[] = [];
  let [rows, after]: [number, string | undefined] = [0, undefined];
  for (;;) {
    const path = partName(output, files.length + 1);
    const partial = partialOf(path, question);
    const fetchPart = async () => {
      await using file = await openFile(partial, 'w');
      await transfer(options, after, (bytes) => file.appendFile(bytes));
      await file.sync();
    };
    const known = await readPart(partial).catch(() => undefined);
    if (known === undefined) await retries(fetchPart);
    const part = known ?? (await readPart(partial));
    // An export without rows is a file without rows; after a full part it is none.
    if (part.rows > 0 || files.length === 0) files.push(path);
    else await rm(partial);
    rows += part.rows;
    after = part.last;
    onRows(rows);
    if (part.rows < PARQUET_ROWS_MAX) break;
  }
  for (const path of files) await rename(partialOf(path, question), path);
  return { rows, files };
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
  received: (bytes: Uint8Array) => Promise<void>,
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
  const reader = (response.body ?? new ReadableStream()).getReader();
  for (;;) {
    const { done, value } = await reader.read().catch(unlessAborted(url, signal));
    timer.refresh();
    if (done) return;
    await received(value);
  }
}

/**
 * Finds where rows end in a file of CSV or NDJSON, so that a transfer that breaks off within a row goes on behind the last whole row.
 * @param isCsv a line end within quotes ends no row; the first line without an id is a header
 */
function createRowTracker(isCsv: boolean) {
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
    /** Forgets the bytes behind the last whole row, and returns where the next transfer begins; a header without a row comes again. */
    begin: (): number => {
      if (rows === 0) whole = 0;
      [seen, said, isQuoted, beginning] = [whole, undefined, false, ''];
      return whole;
    },
    add: (bytes: Uint8Array): void => {
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
    },
    /** Bytes of whole rows. */
    whole: () => whole,
    rows: () => rows,
    /** Id of the last whole row. */
    last: () => last,
    /** Rows that the last line says were sent, which is no row; undefined without such a line. */
    said: () => said,
  };
}
