/**
 * The answer to `application/x-ndjson`: one line a transaction, in order, while the request is still being
 * read. One chunk is stored while the next is read, and a client that reads slowly slows the whole stream.
 * Without a last line the stream broke off, and everything may be sent again.
 */
import { z } from 'zod';
import { Problem, unavailable } from '../../kit/http/answers/problem.ts';
import type { WaitForCpu } from '../../kit/http/body/cpu-queue.ts';
import {
  LINES_CONTENT_TYPE,
  type LineLimits,
  type RawLine,
  readLineChunks,
} from '../../kit/http/body/line-reader.ts';
import { fieldErrorSchema } from '../../kit/http/openapi.ts';
import {
  MINIMAL_APPLIED,
  notApplied,
  notAppliedField,
  type Preferences,
} from '../../kit/http/prefer.ts';
import type { Log } from '../../kit/metrics/log.ts';
import { createPauses } from '../../kit/process/pauses.ts';
import type { Trace } from '../../kit/traces/trace.ts';
import { isUnavailable, toError } from '../../kit/words/failure.ts';
import { acceptChunk, type Line, type LineResult } from './accept-lines.ts';
import { GATE_PROBLEMS, MONTH_PROBLEMS } from './gate.ts';
import type { Ingest } from './ingest.ts';
import type { Submitter } from './limits/limiter.ts';
import { BATCH_TRANSACTIONS_MAX, readLineInput } from './transaction-input.ts';

export const LINE_BYTES_MAX = 64 * 1024;
/** Two chunks of each stream are in memory. More: 64 streams of the longest lines hold too much; less: long lines take more commits. */
const CHUNK_BYTES_MAX = 1024 * 1024;
/** Long against the gap between two packets, short for a person at a keyboard. */
const PAUSE_MS = 100;

export const lineResultSchema = z
  .object({
    index: z.int().meta({ description: 'Place of the line; blank lines are not counted.' }),
    status: z.enum(['accepted', 'duplicate', 'invalid', 'conflict', 'unavailable']),
    transaction_id: z.uuid().optional(),
    code: z
      .enum([...MONTH_PROBLEMS, ...GATE_PROBLEMS])
      .optional()
      .meta({
        description: 'Of a line that is refused for its month, a stopped scope or a limit.',
      }),
    retry_after_seconds: z.int().optional().meta({
      description: 'Of a stopped scope or a limit: when the line may be sent again.',
    }),
    errors: z.array(fieldErrorSchema).optional(),
  })
  .meta({ id: 'TransactionLine' });

export const linesDoneSchema = z
  .object({
    done: z.literal(true),
    accepted: z.int(),
    duplicates: z.int(),
    refused: z.int(),
    preferences_not_applied: notAppliedField,
  })
  .meta({ id: 'TransactionLinesDone' });

type LinesRequest = {
  readonly body: AsyncIterator<Uint8Array>;
  readonly by: Submitter;
  /** Whether the key may still submit: a stream may last for hours. */
  readonly isAllowed: () => Promise<boolean>;
  /** Trace of the request; absent where traces are off. */
  readonly trace: Trace | undefined;
  /** `return=minimal` sends refused lines and the last line only; the last line says that a wait is not applied. */
  readonly preferences: Preferences;
  readonly timeoutMs: number;
  /** Called before a chunk is parsed. */
  readonly waitForCpu: WaitForCpu;
  /** Aborted when the process drains: the stream ends after the chunk that is being stored, and waits for no other line. */
  readonly draining: AbortSignal;
};

export function answerLines(ingest: Ingest, log: Log, request: LinesRequest): Response {
  const lines = answer(ingest, log, request);
  return new Response(ReadableStream.from(lines), {
    headers: {
      'Content-Type': LINES_CONTENT_TYPE,
      ...(request.preferences.isMinimal ? { 'Preference-Applied': MINIMAL_APPLIED } : {}),
    },
  });
}

async function* answer(
  ingest: Ingest,
  log: Log,
  { body, by, isAllowed, trace, preferences, timeoutMs, waitForCpu, draining }: LinesRequest,
): AsyncGenerator<Uint8Array> {
  const leaving = Promise.withResolvers<never>();
  leaving.promise.catch(() => undefined);
  const limits: LineLimits = {
    lineBytesMax: LINE_BYTES_MAX,
    chunkLinesMax: BATCH_TRANSACTIONS_MAX,
    chunkBytesMax: CHUNK_BYTES_MAX,
    pauseMs: PAUSE_MS,
    timeoutMs,
    gaveWay: leaving.promise,
  };
  const leave = () => leaving.reject(unavailable('The process stops.'));
  draining.addEventListener('abort', leave);
  if (draining.aborted) leave();
  const totals = { accepted: 0, duplicates: 0, refused: 0 };
  const render = (results: readonly LineResult[]) => {
    for (const { status } of results) {
      if (status === 'accepted') totals.accepted++;
      else if (status === 'duplicate') totals.duplicates++;
      else totals.refused++;
    }
    const shown = preferences.isMinimal
      ? results.filter((result) => !('transaction_id' in result))
      : results;
    return encode(shown);
  };
  const common = {
    by,
    trace,
    newMonths: { left: ingest.newMonthsMax },
    counted: new Set<string>(),
  };
  const work = async (chunk: readonly RawLine[]) => {
    await waitForCpu();
    if (!(await isAllowed())) throw new Problem('unauthorized', 'The key may submit no longer.');
    const pause = createPauses(waitForCpu);
    const lines: Line[] = [];
    for (const line of chunk) {
      lines.push(readLineInput(ingest, line, LINE_BYTES_MAX));
      await pause();
    }
    return await acceptChunk(ingest, common, lines);
  };
  try {
    for await (const stored of overlapped(readLineChunks(body, limits), work)) {
      const bytes = render(stored);
      if (bytes.byteLength > 0) yield bytes;
      if (draining.aborted) return;
    }
    yield encode([{ done: true, ...totals, ...notApplied(preferences, ['return']) }]);
  } catch (error) {
    // The sender broke off, fell silent or has lost its key, or nobody can look keys up; the missing last line shows that.
    if (error instanceof Problem || isUnavailable(error)) return;
    log.error({ err: toError(error) }, 'bug: a stream of transactions failed unexpectedly');
  } finally {
    draining.removeEventListener('abort', leave);
  }
}

/** Processes one chunk while the next is read; yields each result as soon as it is there. */
async function* overlapped<Chunk, Result>(
  chunks: AsyncGenerator<Chunk>,
  work: (chunk: Chunk) => Promise<Result>,
): AsyncGenerator<Result> {
  try {
    let next = readAhead(chunks);
    for (;;) {
      const { done, value } = await next;
      if (done === true) return;
      const working = work(value);
      next = readAhead(chunks);
      yield await working;
    }
  } finally {
    await chunks.return(undefined);
  }
}

/** The read-ahead may never be awaited, so its failure must not be an unhandled rejection. */
function readAhead<Chunk>(chunks: AsyncGenerator<Chunk>): Promise<IteratorResult<Chunk>> {
  const next = chunks.next();
  next.catch(() => undefined);
  return next;
}

function encode(lines: readonly object[]): Uint8Array {
  return Buffer.from(lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
}
