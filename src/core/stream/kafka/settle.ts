/**
 * The end of entries that Kafka delivered. What must outlive an entry is in Postgres or in a topic before its offset counts as
 * done: events, the next attempts of what failed, copies of dead letters. Whatever fails is tried again by the worker, so that an
 * event may come twice. Attempts and dead letters are sent last, and come twice only where Kafka's answer to them is lost, or where
 * the rights on a topic end during a call, whose other topics are then sent again.
 */

import { type RedisClient, toRedisFailure } from '../../../kit/redis/connection.ts';
import { isStreamAtFault } from '../../../kit/redis/outage.ts';
import { Failure } from '../../../kit/words/failure.ts';
import type { CorridorLog } from '../../domain/corridor.ts';
import { ENTRY_VERSION, type PackedEntry } from '../entries/entry.ts';
import { repliesChannel, type StreamKeys, tagOf } from '../keys.ts';
import { countScores, type Settle, type Settlement } from '../settle/settle.ts';
import { type Denied, KAFKA_DENIED, type KafkaClients } from './clients.ts';
import type { LogRecord } from './divide-records.ts';
import { toScoredRecords } from './scored-events.ts';
import { topicsOf } from './topics.ts';

type Parts = {
  readonly clients: Pick<KafkaClients, 'send'>;
  readonly redis: RedisClient;
  readonly market: string;
  readonly logOf: (corridor: string) => CorridorLog;
  readonly nowMs: () => number;
  /** False while events give way in Redis. */
  readonly hasEventRoom: () => boolean;
  readonly done: (
    entries: readonly { readonly stream: StreamKeys; readonly entryId: string }[],
  ) => void;
};

export function settlingOnKafka(parts: Parts): Settle {
  const { clients, redis, market, logOf, nowMs, hasEventRoom, done } = parts;
  return async (settlements) => {
    const onKafka = settlements.filter(({ stream }) => logOf(stream.corridor) !== 'streams');
    const denied = await clients.send(toScoredRecords(market, onKafka));
    const published = await Promise.all(
      settlements.map(async (settlement) => {
        const refusal = refusalOf(denied, market, settlement);
        if (refusal !== null) return refusal;
        if (logOf(settlement.stream.corridor) === 'kafka') return 0;
        return hasEventRoom()
          ? await publishOnStream(redis, settlement)
          : countScores([settlement]);
      }),
    );
    const unsent = published.map((count) => (count instanceof Failure ? count : null));
    // Sent last: what fails is settled again, and an attempt that was sent before would come once more each time.
    const ending = settlements.filter((_, index) => unsent[index] === null);
    const later = ending.flatMap((settlement) => toLaterRecords(market, settlement, nowMs()));
    const deniedLater = await clients.send(later);
    const failures = settlements.map(
      (settlement, index) => unsent[index] ?? refusalOf(deniedLater, market, settlement),
    );
    await reply(redis, market, settlements);
    done(
      settlements.flatMap(({ stream, ended, replaced }, index) => {
        if (failures[index] !== null) return [];
        // An entry that is given back stays uncommitted, and is delivered again; a divided entry goes on in other entries.
        const divided = replaced.filter(({ by }) => by.length > 1);
        return [...ended, ...divided].map(({ entryId }) => ({ stream, entryId }));
      }),
    );
    const counts = published.map((count) => (count instanceof Failure ? 0 : count));
    return { failures, unpublished: counts.reduce((sum, count) => sum + count, 0) };
  };
}

/** The failure of a corridor one of whose topics is denied: its entries stay open. */
function refusalOf(denied: Denied, market: string, { stream }: Settlement): Failure | null {
  const topic = Object.values(topicsOf(market, stream.corridor)).find((name) => denied.has(name));
  return topic === undefined
    ? null
    : new Failure('unavailable', KAFKA_DENIED, `Kafka denies ${topic}`);
}

/** The next attempts, copies of dead letters, and entries of one in the place of one of several. */
function toLaterRecords(
  market: string,
  { stream, ended, replaced }: Settlement,
  nowMs: number,
): LogRecord[] {
  const { retries, deadLetters } = topicsOf(market, stream.corridor);
  const common = { partition: stream.shard, key: tagOf(stream) };
  const later = (entry: PackedEntry, waitMs: number): LogRecord => ({
    ...common,
    topic: retries,
    value: entry.packed,
    headers: {
      ...{ v: ENTRY_VERSION, n: String(entry.transactions), h: entry.head },
      due: String(Math.round(nowMs + waitMs)),
    },
  });
  const given = replaced.flatMap(({ by }) => (by.length > 1 ? by : []));
  return [
    ...ended.flatMap((count) => count.retries.map(({ waitMs, next }) => later(next, waitMs))),
    ...given.map((entry) => later(entry, 0)),
    ...ended.flatMap((count) =>
      count.deadLetters.map((letter) => ({
        ...common,
        topic: deadLetters,
        value: Buffer.from(
          JSON.stringify({
            stream: stream.transactions,
            message: {
              transaction_id: letter.transactionId ?? '',
              account_id: letter.accountId ?? '',
              retry_count: letter.attempts,
            },
            error: letter.error,
            failed_at: letter.failedAt,
          }),
        ),
        headers: {},
      })),
    ),
  ];
}

/**
 * Appends events as the script that settles entries of streams does. Throws a Failure that is not of one stream.
 * @returns scores for whose events Redis has no room, or the Failure of this stream
 */
async function publishOnStream(
  redis: RedisClient,
  { stream, ended, isFrozen = false }: Settlement,
): Promise<number | Failure> {
  const calls = ended.flatMap(({ scores, scoredAtMs }) =>
    scores.map(async ({ count, rows }) => {
      const at = new Date(scoredAtMs).toISOString();
      const fields = ['v', '2', 'n', count, 'corridor', stream.corridor, 'scored_at', at];
      const frozen = isFrozen ? ['releases_held', 'true'] : [];
      const event = [...fields, 'scores', `[${rows}]`, ...frozen];
      const failure = await redis
        .xadd(stream.scored, '*', ...event)
        .then(noFailure, toRedisFailure);
      if (failure === undefined) return 0;
      if (failure.code === 'REDIS_OOM') return count;
      throw failure;
    }),
  );
  try {
    return (await Promise.all(calls)).reduce((sum, count) => sum + count, 0);
  } catch (error) {
    if (error instanceof Failure && isStreamAtFault(error)) return error;
    throw error;
  }
}

const noFailure = () => undefined;

/** A request that gets no reply polls. */
async function reply(
  redis: RedisClient,
  market: string,
  settlements: readonly Settlement[],
): Promise<void> {
  const replies = settlements.flatMap((settlement) => settlement.replies);
  await Promise.all(
    replies.map(({ instance, score }) => redis.publish(repliesChannel(market, instance), score)),
  ).catch(() => undefined);
}
