/**
 * Which transactions still wait in Redis: in a stream, undelivered or pending, or for a retry. The reconciler
 * reads them, so that it does not append them a second time.
 */
import { type RedisClient, toRedisFailure } from '../../../kit/redis/connection.ts';
import { Failure } from '../../../kit/words/failure.ts';
import { fieldOf } from '../entries/entry.ts';
import { readReceived } from '../entries/entry-ids.ts';
import { type StreamKeys, TOKEN_PREFIX } from '../keys.ts';
import { packedOfRetry } from '../settle/retries.ts';

export type WaitingTransaction = { readonly transactionId: string; readonly receivedAtMs: number };

/** Entries of a page, each of up to COUNT_MAX transactions; some megabytes at most. */
const PAGE_ENTRIES = 100;
const PAGE_RETRIES = 1000;

/**
 * Pages over the stream, then over the retries, then over what was appended to the stream meanwhile: a
 * retry that becomes due during the scan is met in one place or the other. Of an entry that cannot be read nothing is known
 * but that it waits. Throws a Failure.
 */
export async function* readWaiting(
  redis: RedisClient,
  stream: StreamKeys,
): AsyncGenerator<WaitingTransaction[], void> {
  const last = yield* pageStream(redis, stream.transactions, '-');
  yield* pageRetries(redis, stream.retries);
  yield* pageStream(redis, stream.transactions, last === null ? '-' : `(${last}`);
}

/** Returns the id of the last entry seen, null for an empty stream. */
async function* pageStream(
  redis: RedisClient,
  key: string,
  from: string,
): AsyncGenerator<WaitingTransaction[], string | null> {
  let last: string | null = null;
  let start = from;
  for (;;) {
    const entries = await redis
      .xrangeBuffer(key, start, '+', 'COUNT', PAGE_ENTRIES)
      .catch((error: unknown) => ifOther(error, []));
    const tail = entries.at(-1);
    if (tail === undefined) return last;
    last = tail[0].toString();
    start = `(${last}`;
    yield entries.flatMap(([, fields]) => toWaiting(fieldOf(fields, 'd') ?? NOTHING));
    if (entries.length < PAGE_ENTRIES) return last;
  }
}

async function* pageRetries(
  redis: RedisClient,
  key: string,
): AsyncGenerator<WaitingTransaction[], void> {
  let cursor = '0';
  do {
    const [next, flat] = await redis
      .zscanBuffer(key, cursor, 'COUNT', PAGE_RETRIES)
      .catch((error: unknown) =>
        ifOther<[cursor: Buffer, elements: Buffer[]]>(error, [Buffer.from('0'), []]),
      );
    cursor = next.toString();
    // Members and their due times take turns.
    const members = flat.filter((value, index) => index % 2 === 0 && !isToken(value));
    yield members.flatMap((value) => toWaiting(packedOfRetry(value)));
  } while (cursor !== '0');
}

const isToken = (member: Buffer) => member.indexOf(TOKEN_PREFIX) === 0;

/** A key of another type holds no entries; other corridors are still reported. */
function ifOther<T>(error: unknown, none: T): T {
  const failure = toRedisFailure(error);
  if (failure.code === 'REDIS_WRONGTYPE') return none;
  throw failure;
}

const NOTHING = Buffer.alloc(0);
/** Stands for an entry that names no transaction; it sorts before all others. */
const UNKNOWN: WaitingTransaction = { transactionId: '', receivedAtMs: 0 };

function toWaiting(packed: Buffer): WaitingTransaction[] {
  try {
    return readReceived(packed);
  } catch (error) {
    if (error instanceof Failure) return [UNKNOWN];
    throw error;
  }
}
