/**
 * Exports to a file, or to parts of a million rows as Parquet, over transfers that may break off. Rows go to a partial file, which
 * gets its name once it is whole.
 */
import { type FileHandle, open, rename, stat } from 'node:fs/promises';
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
import { type ApiAnswer, refusal } from '../../kit/client/api-client.ts';
import { createRetryPolicy, type RetryPolicy } from '../../kit/client/retry-policy.ts';
import { createRowTracker } from '../../kit/client/row-tracker.ts';
import { Failure } from '../../kit/words/failure.ts';
import {
  beginState,
  type ExportState,
  readExportState,
  removeExportState,
  writeExportState,
} from './export-state.ts';

export type ExportOptions = {
  readonly url: string;
  readonly key: string | undefined;
  /** Consistency token of the write that the rows have to include. */
  readonly token: string | undefined;
  /** The parameters but `after`. */
  readonly question: Readonly<Record<string, string>>;
  readonly output: string;
  /** Rows of a Parquet file behind which the API expects another question. */
  readonly partRowsMax: number;
  readonly outageMsMax: number;
  readonly signal: AbortSignal;
  readonly onWaiting: (reason: string) => void;
  readonly onRows: (rows: number) => void;
};

export type Exported = { readonly rows: number; readonly files: readonly string[] };

const PATH = '/v1/exports/transactions';
/** A stop repeats as many bytes at most. */
const STATE_EVERY_BYTES = 32 * 1024 * 1024;
const RETRIED = new Set([429, 500, 502, 503, 504]);

export async function exportFile(options: ExportOptions): Promise<Exported> {
  const { output, question } = options;
  const state = await ifThere(partialOf(output), await readExportState(output, { ...question }));
  const retryPolicy = createRetryPolicy(options);
  const exported =
    question['format'] === 'parquet'
      ? await exportParts(options, state, retryPolicy)
      : await exportRows(options, state, retryPolicy);
  await removeExportState(output);
  return exported;
}

/** Begins anew where the partial file lacks bytes that the state counts, as after a loss of power: they would be zeros. */
async function ifThere(path: string, state: ExportState): Promise<ExportState> {
  const bytes = await stat(path).then(
    ({ size }) => size,
    () => 0,
  );
  return bytes < state.bytes ? beginState(state.question) : state;
}

async function openFile(path: string, flags: 'w' | 'r+'): Promise<FileHandle> {
  return await open(path, flags).catch((error: Error) => {
    throw new Failure('invalid', 'FILE_UNWRITABLE', error.message, { cause: error });
  });
}

const partialOf = (path: string) => `${path}.partial`;

async function exportRows(
  options: ExportOptions,
  begun: ExportState,
  retryPolicy: RetryPolicy,
): Promise<Exported> {
  const { output, question } = options;
  let state = begun;
  await using file = await openFile(partialOf(output), state.bytes === 0 ? 'w' : 'r+');
  for (let attempt = 1; ; attempt++) {
    // Bytes of a row that is not whole are written over.
    await file.truncate(state.bytes);
    const tracker = createRowTracker(question['format'] === 'csv');
    const from = state;
    let whole = 0;
    const received = async (bytes: Uint8Array, at: number) => {
      await file.write(bytes, 0, bytes.length, from.bytes + at);
      whole = tracker.add(bytes);
      // A header without a row comes again.
      if (tracker.rows() === 0) return;
      state = {
        ...{ question: from.question, parts: 0, rows: from.rows + tracker.rows() },
        ...{ bytes: from.bytes + whole, after: tracker.last() },
      };
      options.onRows(state.rows);
    };
    const keep = () => writeExportState(output, state);
    const broken = await transfer(options, state.after, received, keep).catch(async (error) => {
      await keep();
      throw error;
    });
    if (broken === undefined) {
      // The line that says how many rows were sent is no row of the file.
      await file.truncate(from.bytes + whole);
      checkRows(question['format'] === 'ndjson' ? tracker.said() : tracker.rows(), tracker.rows());
      break;
    }
    await keep();
    if (tracker.rows() > 0) {
      retryPolicy.succeeded();
      attempt = 1;
    }
    await retryPolicy.beforeRetry(attempt, broken.retryAfterMs, broken.failure);
  }
  await file.sync();
  await rename(partialOf(output), output);
  return { rows: state.rows, files: [output] };
}

async function exportParts(
  options: ExportOptions,
  begun: ExportState,
  retryPolicy: RetryPolicy,
): Promise<Exported> {
  const { output } = options;
  let state = begun;
  const files = Array.from({ length: state.parts }, (_, at) => partName(output, at + 1));
  for (;;) {
    const path = partName(output, state.parts + 1);
    await exportPart(options, partialOf(path), state.after, retryPolicy);
    const { rows, last } = await readPart(partialOf(path));
    // An export without rows is a file without rows; after a full part it is none.
    if (rows === 0 && state.parts > 0) break;
    await rename(partialOf(path), path);
    files.push(path);
    state = {
      ...{ question: state.question, bytes: 0, rows: state.rows + rows },
      ...{ parts: state.parts + 1, after: last ?? state.after },
    };
    await writeExportState(output, state);
    options.onRows(state.rows);
    if (rows < options.partRowsMax) break;
  }
  return { rows: state.rows, files };
}

/** `a/b.parquet` is `a/b-0001.parquet` and so on. */
const partName = (output: string, part: number) =>
  `${output.replace(/\.parquet$/, '')}-${String(part).padStart(4, '0')}.parquet`;

async function exportPart(
  options: ExportOptions,
  path: string,
  after: string | undefined,
  retryPolicy: RetryPolicy,
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    await using file = await openFile(path, 'w');
    const received = (bytes: Uint8Array, at: number) =>
      file.write(bytes, 0, bytes.length, at).then(() => undefined);
    const broken = await transfer(options, after, received, () => Promise.resolve());
    if (broken === undefined) {
      await file.sync();
      retryPolicy.succeeded();
      return;
    }
    await retryPolicy.beforeRetry(attempt, broken.retryAfterMs, broken.failure);
  }
}

/** Reads the footer, which a file that is not whole lacks. */
async function readPart(path: string): Promise<{ rows: number; last: string | undefined }> {
  const file = await asyncBufferFromFile(path);
  const metadata = await parquetMetadataAsync(file);
  const rows = Number(metadata.num_rows);
  if (rows === 0) return { rows, last: undefined };
  const [last] = await parquetReadObjects({
    ...{ file, metadata, columns: ['transaction_id'], rowStart: rows - 1, rowEnd: rows },
  });
  return { rows, last: String(last?.['transaction_id']) };
}

function checkRows(said: number | undefined, counted: number): void {
  if (said === counted) return;
  const detail = `the API says that it sent ${said ?? 'no last line'}, and ${counted} rows came`;
  throw new Failure('invalid', 'EXPORT_INCOMPLETE', detail);
}

type Broken = { readonly failure: Failure; readonly retryAfterMs: number | null };

/** One request. @returns why it broke off; undefined where all of it came */
async function transfer(
  { url, key, token, question, signal }: ExportOptions,
  after: string | undefined,
  received: (bytes: Uint8Array, at: number) => Promise<void>,
  onProgress: () => Promise<void>,
): Promise<Broken | undefined> {
  const target = new URL(PATH, url);
  target.search = new URLSearchParams({ ...question, ...(after && { after }) }).toString();
  const headers = {
    ...(key !== undefined && { authorization: `Bearer ${key}` }),
    ...(token !== undefined && { 'consistency-token': token }),
  };
  try {
    const response = await fetch(target, { headers, signal });
    if (!response.ok) return await refuse(response);
    let at = 0;
    let noted = 0;
    for await (const bytes of response.body ?? []) {
      await received(bytes, at);
      at += bytes.length;
      if (at - noted < STATE_EVERY_BYTES) continue;
      noted = at;
      await onProgress();
    }
    return undefined;
  } catch (error) {
    if (signal.aborted || !(error instanceof TypeError)) throw error;
    const detail = `${target.origin}: the transfer broke off`;
    const failure = new Failure('unavailable', 'API_UNREACHABLE', detail, { cause: error });
    return { failure, retryAfterMs: null };
  }
}

async function refuse(response: Response): Promise<Broken> {
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
  const answer: ApiAnswer = {
    ...{ status: response.status, text: await response.text() },
    retryAfterMs: seconds >= 0 ? seconds * 1000 : null,
  };
  const failure = refusal(answer);
  if (!RETRIED.has(answer.status)) throw failure;
  return { failure, retryAfterMs: answer.retryAfterMs };
}
