/**
 * Rows of files in order of time. The program `sort` sorts them: it keeps a bounded part in memory, and writes the others to a folder.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import type { Environment } from '../config/config.ts';
import { Failure } from '../words/failure.ts';
import { lines, type Row, type UnreadableRow } from './rows.ts';

export type TimedRow<K extends string> = {
  readonly kind: K;
  /** Epoch milliseconds; undefined: the row comes last. */
  readonly timeMs: number | undefined;
  /** Rows of one time are in this order, then in that of their files. */
  readonly rank: 0 | 1;
  readonly row: Row | UnreadableRow;
};

type KindRow<K extends string> = Pick<TimedRow<K>, 'kind' | 'row'>;

type SortOptions = {
  /** Takes what does not fit into memory. */
  readonly folder: string;
  /** Bound on what the folder takes. */
  readonly bytesMax: number;
  /** Its PATH has `sort`. */
  readonly environment: Environment;
  readonly signal: AbortSignal;
  readonly onProgress: (rows: number) => void;
};

export type SortedRows<K extends string> = AsyncDisposable & {
  readonly count: number;
  readonly rows: AsyncGenerator<KindRow<K>, void>;
};

const MEMORY_MIB = 64;
/** `sort` merges runs of rows to longer runs, and then has both. */
const COPIES = 2;
/** Text that is given to `sort` at once. */
const CHUNK_CHARS = 64 * 1024;
/** Digits of a time in milliseconds, moved so that the year 1 is positive. */
const TIME_DIGITS = 15;
const YEAR_1_MS = 62_135_596_800_000;
const LAST = '~';

/** @throws Failure where there is no `sort`, or no room */
export async function sortRows<K extends string>(
  rows: AsyncIterable<TimedRow<K>>,
  { folder, bytesMax, environment, signal, onProgress }: SortOptions,
): Promise<SortedRows<K>> {
  const options = ['-s', '-t', '\t', '-k', '1,1', '-S', `${MEMORY_MIB}M`, '-T', folder];
  // By bytes, and not by the words of a language.
  const sort = spawn('sort', options, { env: { ...environment, LC_ALL: 'C' } });
  const said = text(sort.stderr);
  const failure = once(sort, 'close').then(
    async () => (sort.exitCode === 0 ? undefined : sortFailed((await said).trim())),
    ({ message }: Error) => sortMissing(message),
  );
  let count = 0;
  let bytes = 0;
  const chunks = async function* () {
    let chunk = '';
    for await (const { kind, timeMs, rank, row } of rows) {
      const time =
        timeMs === undefined ? LAST : String(timeMs + YEAR_1_MS).padStart(TIME_DIGITS, '0');
      chunk += `${time}${rank}\t${JSON.stringify({ kind, row })}\n`;
      count++;
      if (chunk.length < CHUNK_CHARS) continue;
      bytes += COPIES * Buffer.byteLength(chunk);
      if (bytes > bytesMax) throw tooManyBytes(bytesMax, count);
      onProgress(count);
      yield chunk;
      chunk = '';
    }
    yield chunk;
  };
  const end = async () => {
    sort.kill();
    await failure;
  };
  try {
    await pipeline(Readable.from(chunks()), sort.stdin, { signal });
  } catch (error) {
    await end();
    // Where `sort` has ended by itself, the stream knows only that it is closed.
    throw error instanceof Failure || signal.aborted ? error : ((await failure) ?? error);
  }
  const sorted = async function* () {
    for await (const line of lines(sort.stdout)) {
      yield JSON.parse(line.slice(line.indexOf('\t') + 1)) as KindRow<K>;
    }
    const failed = await failure;
    if (failed !== undefined) throw failed;
  };
  return { count, rows: sorted(), [Symbol.asyncDispose]: end };
}

const sortFailed = (why: string) =>
  new Failure('unavailable', 'SORT_FAILED', `sort failed: ${why || 'it was ended'}`);

function sortMissing(message: string): Failure {
  const instead = 'install coreutils, or post the files as they lie (--order file)';
  return new Failure('not-found', 'SORT_MISSING', `${message}: ${instead}`);
}

function tooManyBytes(bytesMax: number, rows: number): Failure {
  return new Failure(
    'invalid',
    'SORT_TOO_LARGE',
    `${rows} rows need more than the ${Math.floor(bytesMax / 2 ** 20)} MiB that sorting them may take: allow more with --sort-mib, or post the files as they lie (--order file)`,
  );
}

/** Runs of rows of one kind, each of which is read to its end before the next one. */
export async function* runsOf<K extends string>(rows: AsyncIterator<KindRow<K>, void>) {
  let next = await rows.next();
  while (next.done !== true) {
    const { kind } = next.value;
    const run = async function* (): AsyncGenerator<Row | UnreadableRow, void> {
      for (; next.done !== true && next.value.kind === kind; next = await rows.next()) {
        yield next.value.row;
      }
    };
    yield { kind, rows: run() };
  }
}
