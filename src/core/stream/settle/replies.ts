/**
 * Answers to requests that wait for a score: one channel an API process, one subscription, a bounded number of waiters. A reply
 * is a hint that saves polling, so nothing is lost when Redis is away.
 */
import { randomUUID } from 'node:crypto';
import { openSubscriber, type RedisClient } from '../../../kit/redis/connection.ts';
import type { ScoreJson } from '../../domain/score-record.ts';
import { repliesChannel } from '../keys.ts';

export type ExpectedReply = ReturnType<Replies['expect']>;
export type Replies = Omit<ReturnType<typeof openReplies>, typeof Symbol.asyncDispose>;

/** Most requests of one process that may wait at the same time. */
const WAITERS_MAX = 10_000;
/** A subscriber's socket is quiet while nobody waits, and ioredis sends no pings on it. */
const QUIET_MS_MAX = 15 * 60_000;

type Waiter = (score: ScoreJson) => void;

type RepliesOptions = {
  readonly url: string;
  readonly market: string;
  readonly commands: RedisClient;
};

export function openReplies({ url, market, commands }: RepliesOptions) {
  const instance = randomUUID();
  const channel = repliesChannel(market, instance);
  const waiters = new Map<string, Set<Waiter>>();
  let waiting = 0;
  const remove = (transactionId: string, waiter: Waiter) => {
    const group = waiters.get(transactionId);
    if (group?.delete(waiter)) waiting -= 1;
    if (group?.size === 0) waiters.delete(transactionId);
  };
  const subscriber = openSubscriber(url, QUIET_MS_MAX);
  subscriber.on('message', (_channel: string, text: string) => {
    const score = readScore(text);
    if (score === undefined) return;
    for (const waiter of waiters.get(score.transaction_id) ?? []) waiter(score);
  });
  // Subscribes on every new connection. A failure only means that waiting requests poll until the next one.
  subscriber.on('ready', () => {
    subscriber.subscribe(channel).catch(() => undefined);
  });
  // No answer tells a subscriber that its server is the wrong one, so it goes where new connections of the commands lead.
  const follow = () => subscriber.disconnect(true);
  commands.on('ready', follow);
  return {
    /** The value for an entry's `replyTo`. */
    instance,
    /**
     * The score never rejects, and never settles after `cancel`, without Redis, or when WAITERS_MAX wait already, so callers poll
     * as well.
     */
    expect(transactionId: string) {
      const { promise, resolve } = Promise.withResolvers<ScoreJson>();
      if (waiting >= WAITERS_MAX) return { score: promise, cancel: () => undefined };
      const waiter: Waiter = (score) => {
        remove(transactionId, waiter);
        resolve(score);
      };
      const group = waiters.get(transactionId) ?? new Set();
      waiters.set(transactionId, group.add(waiter));
      waiting += 1;
      return { score: promise, cancel: () => remove(transactionId, waiter) };
    },
    async [Symbol.asyncDispose]() {
      waiters.clear();
      commands.off('ready', follow);
      subscriber.disconnect();
    },
  };
}

/** Not checked against the schema, which takes as long as parsing, because only workers publish here. */
function readScore(text: string): ScoreJson | undefined {
  try {
    return JSON.parse(text) as ScoreJson;
  } catch {
    return undefined;
  }
}
