/**
 * The end of a batch in Redis: one script call a stream acknowledges, schedules retries, copies dead
 * letters, gives entries back and answers waiting requests. Postgres has committed before.
 */
import { Failure } from '../domain/failure.ts';
import type { RedisClient } from './connection.ts';
import { ENTRY_VERSION } from './entry.ts';
import { GROUP, repliesChannel, type StreamKeys } from './keys.ts';
import { isStreamAtFault } from './outage.ts';
import { loadScript, runScript, runScripts, type ScriptArgument } from './scripts.ts';

/** What `transaction.scored` says besides `scored_at`. */
export type ScoredEvent = {
  readonly transactionId: string;
  readonly accountId: string;
  readonly score: number;
  readonly verdict: string;
};

/** What becomes of the entries of one stream that one consumer holds. */
export type Settlement = {
  readonly stream: StreamKeys;
  readonly consumer: string;
  /** Done; `event` is null where nothing was scored (a deleted entry, a dead letter that has a score). */
  readonly acknowledged: readonly {
    readonly entryId: string;
    readonly event: ScoredEvent | null;
  }[];
  readonly retries: readonly {
    readonly entryId: string;
    readonly waitMs: number;
    /** The packed value of the next attempt. */
    readonly packed: string;
  }[];
  readonly deadLetters: readonly {
    readonly entryId: string;
    readonly transactionId: string | null;
    readonly accountId: string | null;
    readonly attempts: number;
    readonly error: string;
    readonly failedAt: string;
  }[];
  readonly released: readonly { readonly entryId: string; readonly packed: string }[];
  readonly replies: readonly { readonly instance: string; readonly score: string }[];
  /** `scored_at` of all events of this batch, RFC 3339. */
  readonly scoredAt: string;
};

export type SettleOptions = {
  readonly redis: RedisClient;
  readonly market: string;
  /** transaction.scored events kept a stream; 0 writes none. */
  readonly scoredEventsMax: number;
};

/**
 * A settlement each: ids of acknowledged entries that were not pending any more, or why nothing of it was
 * done, which is the fault of that stream alone. Throws any other Failure.
 */
export type Settle = (settlements: readonly Settlement[]) => Promise<(Set<string> | Failure)[]>;

const SCORED_EVENTS_AGE_MS = 7 * 86_400_000;
/** Entries in `transactions-dlq`; the rows in Postgres are the whole truth. */
const DEAD_LETTERS_MAX = 10_000;

export function createSettle({ redis, market, scoredEventsMax }: SettleOptions): Settle {
  const script = loadScript('settle-4');
  return async (settlements) => {
    const replies = await runScripts(
      redis,
      script,
      settlements.map((settlement) => ({
        keys: keysOf(settlement.stream),
        args: argumentsOf(settlement, market, scoredEventsMax),
      })),
    );
    const failed = replies.find((one) => one instanceof Failure && !isStreamAtFault(one));
    if (failed !== undefined) throw failed;
    return replies.map((reply) => {
      if (reply instanceof Failure) return reply;
      return new Set(Array.isArray(reply) ? reply.map(String) : []);
    });
  };
}

/** Whether entries of this stream could be settled now; throws a Failure where they could not. */
export type Prove = (stream: StreamKeys) => Promise<void>;

export function createProve(redis: RedisClient): Prove {
  const script = loadScript('prove-4');
  return async (stream) =>
    void (await runScript(redis, script, { keys: keysOf(stream), args: [] }));
}

function keysOf(stream: StreamKeys): string[] {
  return [stream.transactions, stream.retries, stream.deadLetters, stream.scored];
}

function argumentsOf(
  settlement: Settlement,
  market: string,
  scoredEventsMax: number,
): ScriptArgument[] {
  const { acknowledged, retries, deadLetters, released, replies } = settlement;
  const args: ScriptArgument[] = [
    GROUP,
    settlement.consumer,
    ENTRY_VERSION,
    settlement.scoredAt,
    scoredEventsMax,
    SCORED_EVENTS_AGE_MS,
    DEAD_LETTERS_MAX,
    packAcknowledged(acknowledged),
    retries.length,
    deadLetters.length,
    released.length,
    replies.length,
  ];
  for (const { entryId, waitMs, packed } of retries) args.push(entryId, Math.round(waitMs), packed);
  for (const letter of deadLetters) {
    args.push(letter.entryId, letter.transactionId ?? '', letter.accountId ?? '');
    args.push(letter.attempts, letter.error, letter.failedAt);
  }
  for (const { entryId, packed } of released) args.push(entryId, packed);
  for (const { instance, score } of replies) args.push(repliesChannel(market, instance), score);
  return args;
}

/**
 * One flat argument: five strings an entry would cost the client more than the rest of the batch. No
 * field holds a zero byte, as Postgres has stored them all.
 */
function packAcknowledged(acknowledged: Settlement['acknowledged']): string {
  const parts: (string | number)[] = [];
  for (const { entryId, event } of acknowledged) {
    if (event === null) parts.push(entryId, '', '', '', '');
    else parts.push(entryId, event.transactionId, event.accountId, event.score, event.verdict);
  }
  return parts.length === 0 ? '' : `${parts.join('\0')}\0`;
}
