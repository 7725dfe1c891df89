/**
 * Cuts a request body of lines into chunks, in constant memory: a chunk ends at a number of lines, at
 * a number of bytes, or when the sender pauses, so that a slow sender gets its answers too.
 */
import { settlesWithin } from '../../process/settles-within.ts';
import { Problem } from '../answers/problem.ts';
import { createDeadline } from './body.ts';

export const LINES_CONTENT_TYPE = 'application/x-ndjson';
/** Media types of NDJSON that a request may name. Answers have the first. */
const LINES_CONTENT_TYPES: readonly string[] = [LINES_CONTENT_TYPE, 'application/ndjson'];

export function isLines(mediaType: string): boolean {
  return LINES_CONTENT_TYPES.includes(mediaType);
}

export type LineLimits = {
  readonly lineBytesMax: number;
  readonly chunkLinesMax: number;
  /** Bytes that arrived. */
  readonly chunkBytesMax: number;
  /** A pause of the sender after which the lines received so far are processed. */
  readonly pauseMs: number;
  /** Longest line; a longer one ends the stream. */
  readonly timeoutMs: number;
  /** Rejects when nobody waits for further lines. */
  readonly gaveWay?: Promise<never>;
};

/** A line; `bytes` is null when the line was longer than allowed and has been skipped. */
export type RawLine = { readonly index: number; readonly bytes: Uint8Array | null };

const [LF, CR] = [0x0a, 0x0d];
/**
 * Blank lines beyond the number of other lines. More: a packed body of them, a thousandth of their size, keeps the process busy;
 * fewer: a sender that shows with them that it lives is given up.
 */
const BLANKS_MAX = 1_000_000;

/** Yields chunks of lines, which LF, CRLF or CR ends; lines that are empty or blank are skipped and not counted. */
export async function* readLineChunks(
  body: AsyncIterator<Uint8Array>,
  limits: LineLimits,
): AsyncGenerator<RawLine[]> {
  const splitter = createSplitter(limits.lineBytesMax);
  using deadline = createDeadline(limits.timeoutMs, limits.gaveWay);
  let chunk: RawLine[] = [];
  let chunkBytes = 0;
  let next = body.next();
  for (;;) {
    if (chunk.length > 0 && !(await settlesWithin(next, limits.pauseMs))) {
      // Processing time does not count against the sender. A line was completed since the last read, so the
      // timer restarts.
      deadline.stop();
      yield chunk;
      deadline.restart();
      [chunk, chunkBytes] = [[], 0];
    }
    const read = await deadline.race(next);
    // The timer does not restart at every byte: a line that trickles in would never end.
    if (read.done === true || read.value.includes(LF) || read.value.includes(CR)) {
      deadline.restart();
    }
    const lines = read.done === true ? splitter.end() : splitter.push(read.value);
    // A line keeps the whole piece in memory that it came in, also what is blank around it.
    chunkBytes += read.value?.byteLength ?? 0;
    for (const line of lines) {
      chunk.push(line);
      if (chunk.length < limits.chunkLinesMax && chunkBytes < limits.chunkBytesMax) continue;
      deadline.stop();
      yield chunk;
      deadline.restart();
      [chunk, chunkBytes] = [[], 0];
    }
    if (read.done === true) break;
    next = body.next();
  }
  if (chunk.length > 0) yield chunk;
}

function createSplitter(lineBytesMax: number) {
  let rest: Uint8Array[] = [];
  let restBytes = 0;
  let index = 0;
  let blanks = 0;
  const finish = (tail: Uint8Array): RawLine[] => {
    const isTooLong = restBytes + tail.byteLength > lineBytesMax;
    const bytes = isTooLong ? null : rest.length === 0 ? tail : Buffer.concat([...rest, tail]);
    rest = [];
    restBytes = 0;
    const isBlank = bytes?.every((byte) => byte === 0x20 || byte === 0x09);
    if (isBlank !== true) return [{ index: index++, bytes }];
    blanks += 1;
    if (blanks - index <= BLANKS_MAX) return [];
    throw new Problem('malformed-request', `The body has ${BLANKS_MAX} blank lines too many.`);
  };
  return {
    push(bytes: Uint8Array): RawLine[] {
      const lines: RawLine[] = [];
      let [from, lf, cr] = [0, bytes.indexOf(LF), bytes.indexOf(CR)];
      while (lf >= 0 || cr >= 0) {
        const end = cr >= 0 && (lf < 0 || cr < lf) ? cr : lf;
        lines.push(...finish(bytes.subarray(from, end)));
        from = end + 1;
        // A search for an end that the body lacks reads all of its bytes, so each end is searched when it was passed.
        if (end === cr) cr = bytes.indexOf(CR, from);
        else lf = bytes.indexOf(LF, from);
      }
      const tail = bytes.subarray(from);
      restBytes += tail.byteLength;
      // An over-long line is counted but not kept.
      if (restBytes > lineBytesMax) rest = [];
      else if (tail.byteLength > 0) rest.push(tail);
      return lines;
    },
    end(): RawLine[] {
      return restBytes === 0 ? [] : finish(new Uint8Array());
    },
  };
}
