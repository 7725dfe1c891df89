/**
 * Rows of files in order of time. The program `sort` sorts them: it keeps a bounded part in memory, and writes the others to TMPDIR.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import type { Row, UnreadableRow } from '../../kit/client/rows.ts';
import { readLines } from '../../kit/client/text-lines.ts';
import type { Environment } from '../../kit/config/config.ts';
import { Failure } from '../../kit/words/failure.ts';

type KindRow<K extends string> = { readonly kind: K; readonly row: Row | UnreadableRow };

/** `timeMs`: epoch milliseconds; undefined: the row comes last. Rows of one time stay in the order in which they are given. */
export type TimedRow<K extends string> = KindRow<K> & { readonly timeMs: number | undefined };

type SortOptions = {
  /** The PATH of the environment has `sort`. */
  readonly environment: Environment;
  /** Bound on what the folder takes. */
  readonly bytesMax: number;
  readonly signal: AbortSignal;
  /** @param rows that were given to the sort */
  readonly onProgress: (rows: number) => void;
};

const MEMORY_MIB = 64;
/** `sort` merges runs of rows to longer runs, and then has both. */
const COPIES = 2;
/** Text that is given to `sort` at once. */
const CHUNK_CHARS = 64 * 1024;
/** A row of the longest line has more bytes as JSON, with its fields' names. */
const SORTED_BYTES_MAX = 8 * 1024 * 1024;
/** Digits of a time in milliseconds, moved so that the year 1 is positive. */
const TIME_DIGITS = 15;
const YEAR_1_MS = 62_135_596_800_000;
const LAST = '~';

/** @throws Failure where there is no `sort`, or no room */
export async function* sortRows<K extends string>(
  rows: AsyncIterable<TimedRow<K>>,
  { environment, bytesMax, signal, onProgress }: SortOptions,
): AsyncGenerator<KindRow<K>, void> {
  const options = ['-s', '-t', '\t', '-k', '1,1', '-S', `${MEMORY_MIB}M`];
  // By bytes, and not by the words of a language.
  const sort = spawn('sort', options, { env: { ...environment, LC_ALL: 'C' } });
  const said = text(sort.stderr);
  const failure = once(sort, 'close').then(
    async () => {
      if (sort.exitCode === 0) return undefined;
      const why = (await said).trim() || 'it was ended';
      return new Failure('unavailable', 'SORT_FAILED', `sort failed: ${why}`);
    },
    ({ message }: Error) => {
      const instead = 'install coreutils, or post the files as they lie (--order file)';
      return new Failure('not-found', 'SORT_MISSING', `${message}: ${instead}`);
    },
  );
  try {
    await pipeline(Readable.from(sortLines(rows, bytesMax, onProgress)), sort.stdin, { signal });
    for await (const lines of readLines(sort.stdout, SORTED_BYTES_MAX)) {
      for (const { text: line } of lines) {
        yield JSON.parse(line.slice(line.indexOf('\t') + 1)) as KindRow<K>;
      }
    }
    const failed = await failure;
    if (failed !== undefined) throw failed;
  } catch (error) {
    sort.kill();
    // Where `sort` has ended by itself, the stream knows only that it is closed.
    throw error instanceof Failure || signal.aborted ? error : ((await failure) ?? error);
  } finally {
    sort.kill();
    await failure;
  }
}

/** Lines that `sort` sorts by the time that they begin with, many in a text. */
async function* sortLines<K extends string>(
  rows: AsyncIterable<TimedRow<K>>,
  bytesMax: number,
  onProgress: SortOptions['onProgress'],
) {
  let [count, bytes] = [0, 0];
  let chunk = '';
  for await (const { kind, timeMs, row } of rows) {
    const time =
      timeMs === undefined ? LAST : String(timeMs + YEAR_1_MS).padStart(TIME_DIGITS, '0');
    chunk += `${time}\t${JSON.stringify({ kind, row })}\n`;
    count++;
    if (chunk.length < CHUNK_CHARS) continue;
    bytes += COPIES * Buffer.byteLength(chunk);
    if (bytes > bytesMax) throw tooManyBytes(bytesMax, count);
    onProgress(count);
    yield chunk;
    chunk = '';
  }
  onProgress(count);
  yield chunk;
}

function tooManyBytes(bytesMax: number, rows: number): Failure {
  const instead = 'allow more with --sort-mib, or post the files as they lie (--order file)';
  const why = `${rows} rows need more than ${Math.floor(bytesMax / 2 ** 20)} MiB to be sorted: ${instead}`;
  return new Failure('invalid', 'SORT_TOO_LARGE', why);
}

/**
 * Runs of rows of one kind and day, each of which is read to its end before the next one.
 * @param dayOf tells apart rows of one kind
 */
export async function* runsOf<K extends string>(
  rows: AsyncGenerator<KindRow<K>, void>,
  dayOf: (row: KindRow<K>) => number | undefined = () => undefined,
) {
  try {
    let next = await rows.next();
    while (next.done !== true) {
      const { kind } = next.value;
      const day = dayOf(next.value);
      const isOfRun = (row: KindRow<K>) => row.kind === kind && dayOf(row) === day;
      const run = async function* (): AsyncGenerator<Row | UnreadableRow, void> {
        for (; next.done !== true && isOfRun(next.value); next = await rows.next()) {
          yield next.value.row;
        }
      };
      yield { kind, day, rows: run() };
    }
  } finally {
    await rows.return();
  }
}
