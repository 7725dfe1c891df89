/**
 * Request bodies: read once, counted while they arrive, as they are unpacked, and refused before they are stored. A body is
 * JSON; any other type is 415.
 */
import type { IncomingMessage } from 'node:http';
import type { Context } from 'hono';
import type { z } from 'zod';
import { atOnce, inSlices, type Sliced } from '../../process/pauses.ts';
import { DESCRIBED, given, shortText } from '../../words/describe-issue.ts';
import {
  FIELD_CHARS_MAX,
  fieldErrors,
  InvalidFields,
  jsonPointer,
} from '../../words/field-errors.ts';
import { Problem } from '../answers/problem.ts';
import type { AppEnv } from '../app-env.ts';
import { BODY_DEPTH_MAX, type BodyShape, shapeOf } from './body-shape.ts';
import type { WaitForCpu } from './cpu-queue.ts';
import { jsonFault } from './json-fault.ts';
import { refuseLost } from './lost-in-parsing.ts';
import { encodingOf, requireEncoding, unpack } from './unpack.ts';

export type BodyLimits = {
  readonly bytesMax: number;
  /** Deadline from the first to the last byte; between two lines of a stream. */
  readonly timeoutMs: number;
  readonly awaitBody: AwaitBody;
  /** Called before a heavy body is parsed. */
  readonly waitForCpu: WaitForCpu;
};

/** Permissions of a body that is not complete yet. */
type AwaitedBody = Disposable & {
  /** Counts bytes that arrived; throws when there is no room for them. */
  readonly add: (bytes: number) => void;
  /** Rejects when this body has to give way to others. */
  readonly gaveWay: Promise<never>;
  /** The body is complete, and has so many bytes unpacked; throws when no slot is free for it. */
  readonly complete: (bytes: number) => void;
};
/** Undefined: the body is complete and plain, or came without a server. Throws when there is no room for it. */
export type AwaitBody = (incoming: IncomingMessage | undefined) => AwaitedBody | undefined;

/**
 * Size of some fifteen transactions: parsing them takes a fraction of a millisecond, so others can wait for it.
 */
const HEAVY_BYTES = 4096;
/** Up to twice a usual batch of 1,000: whatever its shape, such a body is parsed in a fraction of a second. */
const SHAPELESS_BYTES_MAX = 512 * 1024;
/** Values for each transaction of a batch: a hundred, as they have some 13. */
const PARTS_MAX = 100_000;
/** More: a schema that refuses each of them holds the thread, and a million end the process. */
const WIDTH_MAX = 10_000;
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false });

/**
 * Returns the media type without parameters, lower case; any charset but UTF-8 is refused, as is any encoding but those of `unpack`.
 */
export function readMediaType(c: Context<AppEnv>): string {
  requireEncoding(c);
  const [type = '', ...parameters] = (c.req.header('content-type') ?? '').split(';');
  for (const parameter of parameters) {
    const charset = /^\s*charset="?([^"\s]*)"?\s*$/i.exec(parameter)?.[1];
    if (charset !== undefined && !/^utf-?8$/i.test(charset)) {
      throw new Problem(
        'unsupported-media-type',
        `The body has charset ${given(charset)}, and only utf-8 is allowed.`,
      );
    }
  }
  return type.trim().toLowerCase();
}

function requireJson(c: Context<AppEnv>, forLines: string): void {
  const type = readMediaType(c);
  if (type === 'application/json') return;
  const detail = `The body has Content-Type ${given(type)}, and only application/json is allowed${forLines}.`;
  throw new Problem('unsupported-media-type', detail);
}

/** The body, unpacked, as chunks of bytes; a caller that stops reading can still answer on the connection. */
export function bodyChunks(c: Context<AppEnv>): AsyncIterator<Uint8Array> {
  const encoding = encodingOf(c);
  const chunks = rawChunks(c);
  return encoding === undefined ? chunks : unpack(chunks, encoding);
}

function rawChunks(c: Context<AppEnv>): AsyncIterator<Uint8Array> {
  const incoming = c.env?.incoming;
  if (incoming !== undefined) {
    return incoming.iterator({ destroyOnReturn: false }) as AsyncIterator<Uint8Array>;
  }
  const stream = c.req.raw.body ?? new Blob([]).stream();
  return stream.values({ preventCancel: true });
}

/**
 * Reads a JSON body: 415, 413 before buffering, 408, 400.
 * @param forLines what a sender of lines is told, where an operation takes lines
 */
export async function readJson(
  c: Context<AppEnv>,
  limits: BodyLimits,
  forLines = '',
): Promise<unknown> {
  requireJson(c, forLines);
  const declared = Number(c.req.header('content-length') ?? 0);
  if (declared > limits.bytesMax) throw tooLarge(limits.bytesMax);
  const bytes = readArrived(c, declared, limits.bytesMax) ?? (await awaitAll(c, limits));
  if (bytes.byteLength < HEAVY_BYTES) return atOnce(parseJson(bytes, forLines));
  await limits.waitForCpu();
  const value = await inSlices(parseJson(bytes, forLines));
  if (bytes.byteLength > SHAPELESS_BYTES_MAX) await limits.waitForCpu();
  return value;
}

/** A body that has arrived already, as the body of a single post does: there is nothing to wait for, nor to time. */
function readArrived(
  c: Context<AppEnv>,
  declared: number,
  bytesMax: number,
): Uint8Array | undefined {
  const incoming = c.env?.incoming;
  if (incoming === undefined || incoming.readableDidRead) return undefined;
  if (encodingOf(c) !== undefined) return undefined;
  // The parser hands the last bytes over before it reports the end.
  const isLast = declared > 0 && incoming.readableLength === declared;
  if (!incoming.complete && !isLast) return undefined;
  const bytes: Uint8Array = incoming.read() ?? Buffer.alloc(0);
  // Reads to the end, for which the server would otherwise set timers after the answer.
  if (!incoming.complete) incoming.resume();
  if (bytes.byteLength > bytesMax) throw tooLarge(bytesMax);
  return bytes;
}

async function awaitAll(c: Context<AppEnv>, limits: BodyLimits): Promise<Uint8Array> {
  using awaited = limits.awaitBody(c.env?.incoming);
  const bytes = await readAll(bodyChunks(c), limits, awaited);
  awaited?.complete(bytes.byteLength);
  return bytes;
}

async function readAll(
  chunks: AsyncIterator<Uint8Array>,
  limits: BodyLimits,
  awaited: AwaitedBody | undefined,
): Promise<Uint8Array> {
  const kept: Uint8Array[] = [];
  let bytes = 0;
  using deadline = createDeadline(limits.timeoutMs, awaited?.gaveWay);
  for (;;) {
    const next = await deadline.race(chunks.next());
    if (next.done === true) break;
    bytes += next.value.byteLength;
    if (bytes > limits.bytesMax) throw tooLarge(limits.bytesMax);
    awaited?.add(next.value.byteLength);
    kept.push(next.value);
  }
  return kept.length === 1 && kept[0] !== undefined ? kept[0] : Buffer.concat(kept, bytes);
}

export function* parseJson(bytes: Uint8Array, forLines = ''): Sliced<unknown> {
  const shape = yield* shapeOf(bytes);
  if (shape.width > WIDTH_MAX) {
    throw new Problem(
      'too-large',
      `The body has a list or object of ${shape.width} items, and ${WIDTH_MAX} are allowed.`,
    );
  }
  if (bytes.byteLength > SHAPELESS_BYTES_MAX) checkShape(shape);
  yield;
  let value: unknown;
  try {
    value = JSON.parse(UTF8.decode(bytes));
  } catch {
    throw new Problem('malformed-request', jsonFault(bytes, forLines));
  }
  yield* refuseLost(bytes, value, { shape });
  return value;
}

function checkShape({ depth, parts }: BodyShape): void {
  if (depth > BODY_DEPTH_MAX) {
    const detail = `must have at most ${BODY_DEPTH_MAX} levels, not ${depth}`;
    throw new InvalidFields([{ pointer: '', detail }]);
  }
  if (parts > PARTS_MAX) {
    throw new Problem(
      'too-large',
      `The body has ${parts} objects, arrays and members, and ${PARTS_MAX} are allowed.`,
    );
  }
}

function tooLarge(bytesMax: number): Problem {
  return new Problem(
    'too-large',
    `The body has more than ${bytesMax} bytes, the most that is allowed.`,
  );
}

/** A body this slow holds a connection, too, which is closed after the answer. */
const LAST_ANSWER = { Connection: 'close' };

/**
 * A timer for a whole body; `restart` makes the timer a limit between two lines.
 * @param gaveWay rejects when the body has to give way
 */
export function createDeadline(timeoutMs: number, gaveWay?: Promise<never>) {
  const expired = Promise.withResolvers<never>();
  expired.promise.catch(() => undefined);
  gaveWay?.catch(expired.reject);
  const expire = () => {
    expired.reject(
      new Problem('request-timeout', `The body did not arrive within ${timeoutMs} ms.`, {
        headers: LAST_ANSWER,
      }),
    );
  };
  let timer = setTimeout(expire, timeoutMs);
  const stop = () => clearTimeout(timer);
  return {
    race: async <T>(work: Promise<T>): Promise<T> => {
      // The client broke off: there is nobody to answer, and the error must not look like a bug.
      const guarded = work.catch((error: unknown) => {
        throw error instanceof Problem
          ? error
          : new Problem('malformed-request', 'The body broke off.');
      });
      guarded.catch(() => undefined);
      return await Promise.race([guarded, expired.promise]);
    },
    /** Restarts the timer, also after a stop. */
    restart() {
      stop();
      timer = setTimeout(expire, timeoutMs);
    },
    stop,
    [Symbol.dispose]: stop,
  };
}

/** Checks a value against a schema; a mismatch is 422 with a pointer to each bad field. */
export function checkFields<T>(schema: z.ZodType<T>, value: unknown, at: PropertyKey[] = []): T {
  const parsed = schema.safeParse(value, DESCRIBED);
  if (parsed.success) return parsed.data;
  throw new InvalidFields(fieldErrors(schema, parsed.error, at));
}

/** Query parameters against a strict schema of strings; a parameter given twice is refused. */
export function readQuery<T>(c: Context<AppEnv>, schema: z.ZodType<T>): T {
  const parameters = new URL(c.req.url).searchParams;
  const seen = new Set<string>();
  for (const name of parameters.keys()) {
    if (seen.has(name)) {
      const pointer = jsonPointer([shortText(name, FIELD_CHARS_MAX)]);
      throw new InvalidFields([{ pointer, detail: 'must be given once, not several times' }]);
    }
    seen.add(name);
  }
  const parsed = schema.safeParse(Object.fromEntries(parameters), DESCRIBED);
  if (parsed.success) return parsed.data;
  throw new InvalidFields(fieldErrors(schema, parsed.error, [], 'parameter'));
}
