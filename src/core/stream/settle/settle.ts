/**
 * The end of a batch in Redis: one script call a stream acknowledges, publishes scores, schedules retries, copies dead
 * letters, replaces entries and answers waiting requests. Postgres has committed before.
 */
import type { RedisClient } from '../../../kit/redis/connection.ts';
import { Failure } from '../../../kit/words/failure.ts';
import { ENTRY_VERSION, type PackedEntry } from '../entries/entry.ts';
import { GROUP, repliesChannel, type StreamKeys } from '../keys.ts';
import type { MarketInRedis } from '../memory/memory.ts';
import { loadScript, runOnStreams, runScript, type ScriptArgument } from '../scripts.ts';
import { packRetry } from './retries.ts';

/** Scores as `transaction.scored` events have them: how many, and their rows as JSON with commas between them. */
export type PublishedScores = { readonly count: number; readonly rows: string };

/** An entry whose transactions are all decided. */
export type EndedEntry = {
  readonly entryId: string;
  readonly transactions: number;
  /** Scores that this entry publishes. */
  readonly scores: readonly PublishedScores[];
  /** When the last of them was scored; 0 where there is none. */
  readonly scoredAtMs: number;
  /**
   * True where another entry publishes some of its scores. It is then settled only while its consumer still owns it; a consumer
   * that took it over publishes all of its scores, unless the entry is gone.
   */
  readonly needsOwner: boolean;
  /** Transactions that failed: they leave the entry. */
  readonly retries: readonly { readonly waitMs: number; readonly next: PackedEntry }[];
  readonly deadLetters: readonly {
    readonly transactionId: string | null;
    readonly accountId: string | null;
    readonly attempts: number;
    readonly error: string;
    readonly failedAt: string;
  }[];
};

/** Settlements of the entries of one stream that one consumer holds. */
export type Settlement = {
  readonly stream: StreamKeys;
  readonly consumer: string;
  readonly ended: readonly EndedEntry[];
  /** Events then say `releases_held`. */
  readonly isFrozen?: boolean;
  /** Entries whose transactions go back to the stream in others: given back, or divided. */
  readonly replaced: readonly {
    readonly entryId: string;
    readonly transactions: number;
    readonly by: readonly PackedEntry[];
  }[];
  readonly replies: readonly { readonly instance: string; readonly score: string }[];
};

export type Settled = {
  /** For each settlement null, or the failure of its stream, which left it undone. */
  readonly failures: readonly (Failure | null)[];
  /** Scores without an event, for want of memory. */
  readonly unpublished: number;
};

/** Ends entries, or replaces them, by the log that they came from. Throws a Failure that is not of one stream. */
export type Settle = (settlements: readonly Settlement[]) => Promise<Settled>;

/** Scores of one `transaction.scored` event, unless an entry alone has more. */
const EVENT_SCORES_MAX = 128;

const script = loadScript('settle-5');

/** Throws a Failure that is not of one stream. */
export async function settle(
  { redis, name, memory }: MarketInRedis,
  settlements: readonly Settlement[],
): Promise<Settled> {
  const { hasEventRoom } = memory;
  const calls = settlements.map((settlement) => ({
    keys: keysOf(settlement.stream),
    args: argumentsOf(settlement, name, hasEventRoom),
  }));
  const replies = await runOnStreams(redis, script, calls);
  const failures = replies.map((reply) => (reply instanceof Failure ? reply : null));
  const refused = replies.reduce<number>(
    (sum, reply) => (reply instanceof Failure ? sum : sum + Number(reply)),
    0,
  );
  return { failures, unpublished: hasEventRoom ? refused : countScores(settlements) };
}

/** Scores that the entries of settlements publish. */
export function countScores(settlements: readonly Settlement[]): number {
  const entries = settlements.flatMap(({ ended }) => ended);
  return joined(entries.flatMap(({ scores }) => scores)).count;
}

/**
 * Checks that entries of this stream could be settled now, before any is taken: an entry that is claimed and cannot be settled
 * would have cost a delivery. Settles nothing, and throws a Failure where that fails.
 */
export async function prove(redis: RedisClient, stream: StreamKeys): Promise<void> {
  const nothing = { stream, consumer: '', ended: [], replaced: [], replies: [] };
  await runScript(redis, script, { keys: keysOf(stream), args: argumentsOf(nothing, '', false) });
}

function keysOf(stream: StreamKeys): string[] {
  const { transactions, counts, retries, deadLetters, scored } = stream;
  return [transactions, retries, counts, deadLetters, scored];
}

function argumentsOf(
  { stream, consumer, ended, isFrozen = false, replaced, replies }: Settlement,
  market: string,
  isPublishing: boolean,
): ScriptArgument[] {
  const isDivided = (endedEntry: EndedEntry) =>
    endedEntry.needsOwner || endedEntry.retries.length + endedEntry.deadLetters.length > 0;
  const divided = ended.filter(isDivided);
  const acknowledged = divided.length === 0 ? ended : ended.filter((count) => !isDivided(count));
  const { lines, events } = toEvents(acknowledged, isPublishing);
  const args: ScriptArgument[] = [
    GROUP,
    consumer,
    ENTRY_VERSION,
    stream.corridor,
    lines,
    events.length,
    divided.length,
    replaced.length,
    replies.length,
    isFrozen ? 1 : 0,
  ];
  for (const { scoredAtMs, scores, rows } of events) {
    args.push(toIso(scoredAtMs), scores, `[${rows.join()}]`);
  }
  for (const part of divided) {
    args.push(part.entryId, part.transactions);
    const { count, rows } = joined(isPublishing ? part.scores : []);
    args.push(toIso(part.scoredAtMs), count, `[${rows}]`);
    const deadLetters = isPublishing ? part.deadLetters : [];
    args.push(part.retries.length, deadLetters.length);
    for (const { waitMs, next } of part.retries) args.push(Math.round(waitMs), packRetry(next));
    for (const letter of deadLetters) {
      args.push(letter.transactionId ?? '', letter.accountId ?? '');
      args.push(letter.attempts, letter.error, letter.failedAt);
    }
  }
  for (const { entryId, transactions, by } of replaced) {
    args.push(entryId, transactions, by.length);
    for (const count of by) args.push(count.transactions, count.head, count.packed);
  }
  for (const { instance, score } of replies) args.push(repliesChannel(market, instance), score);
  return args;
}

function toIso(epochMs: number): string {
  return new Date(epochMs).toISOString();
}

type Event = { readonly scoredAtMs: number; scores: number; readonly rows: string[] };

/**
 * An event for the scores of entries that follow each other and were scored at the same time, and a line for each entry that
 * says which rows of the event are the entry's: flat, as the client would spend more on arguments than on the rest.
 */
function toEvents(
  acknowledged: readonly EndedEntry[],
  isPublishing: boolean,
): { readonly lines: string; readonly events: readonly Event[] } {
  const events: Event[] = [];
  let lines = '';
  for (const { entryId, transactions, scores, scoredAtMs } of acknowledged) {
    const { count, rows } = joined(scores);
    if (count === 0 || !isPublishing) {
      lines += `${entryId} ${transactions} 0 0 0\n`;
      continue;
    }
    let event = events.at(-1);
    if (event?.scoredAtMs !== scoredAtMs || event.scores + count > EVENT_SCORES_MAX) {
      event = { scoredAtMs, scores: 0, rows: [] };
      events.push(event);
    }
    event.scores += count;
    event.rows.push(rows);
    lines += `${entryId} ${transactions} ${events.length} ${count} ${Buffer.byteLength(rows)}\n`;
  }
  return { lines, events };
}

function joined(scores: readonly PublishedScores[]): PublishedScores {
  const [first] = scores;
  // As nearly always.
  if (first !== undefined && scores.length === 1) return first;
  const count = scores.reduce((sum, score) => sum + score.count, 0);
  return { count, rows: scores.map(({ rows }) => rows).join() };
}
