/**
 * Every Redis key and channel of the engine; none is spelled anywhere else.
 *
 * | key | type | lives | written by |
 * |---|---|---|---|
 * | {market:corridor:shard}:transactions     | stream     | until acknowledged | producer, promote, replay |
 * | {market:corridor:shard}:counts           | hash       | until it is empty  | scripts: how many `transactions` the stream holds |
 * | {market:corridor:shard}:retries          | sorted set | until due          | settle |
 * | {market:corridor:shard}:past, :past-counts, :past-retries | as the three above | as those | as those: transactions that were old when they came |
 * | {market:corridor:shard}:transactions-dlq | stream     | bounded copy (bound-events.ts) | settle |
 * | {market:corridor:shard}:transactions-scored | stream  | 7 days, bounded (bound-events.ts) | settle |
 * | {market:pNN}:account:ID                  | string     | RISK_PROFILE_TTL_SECONDS | profile logs |
 * | {market:pNN}:merchant:ID                 | string     | RISK_PROFILE_TTL_SECONDS | profile logs |
 * | {market:pNN}:device:ID, :address:NETWORK | string     | RISK_PROFILE_TTL_SECONDS | profile logs |
 * | {market:pNN}:history                     | string     | for ever           | profile logs: the history of writes that the slot's profiles belong to |
 * | {market:limits}:KIND:SCOPE               | string     | until nothing is owed | API: what was taken of a limit |
 * | {market:limits}:each:KIND:ID             | string     | until nothing is owed, or profiles give way | API: what was taken of a party's limit |
 * | {market:kafka}:tries                     | hash       | a day after the last assignment | workers: how often Kafka assigned a partition at an offset |
 * | {market:kafka}:delivered                 | hash       | a day after the last read | workers: offset up to which each partition was read, and the transactions in hand |
 * | market:models-out                        | sorted set | seconds after the last of them | workers: models that do not judge where they should |
 * | market:workers                           | sorted set | a minute after the last of them | workers: who they are and what they scored so far |
 * | market:workers-seen                      | sorted set | an hour after the last of them | workers: who they were, so that a missing worker is counted |
 * | market:identity, market:probe          | string     | for ever, a minute | readiness: a write that must work |
 * | market:replies:INSTANCE                  | channel    | -                  | settle: scores that a request waits for |
 *
 * The part in braces is the cluster hash tag: all keys of one script share it.
 */
import murmurhash from 'murmurhash';
import type { PartyKind } from '../domain/transaction.ts';

/** Name of the one consumer group. */
export const GROUP = 'scoring-workers';

/** Profile keys spread over this many hash tags a market. */
export const PROFILE_SLOTS = 16;

/** Most shards of one corridor. */
export const SHARDS_MAX = 16;

/** Transactions that are older when they are received are in the past of their shard, so that newer ones do not wait behind a backfill. */
const PAST_AGE_MS = 3_600_000;

/** The five keys of one stream. The past of a shard has the shard's dead letters and events. */
export type StreamKeys = {
  readonly corridor: string;
  /** From SHARDS_MAX on: the past of the shard that is so much less. */
  readonly shard: number;
  readonly transactions: string;
  readonly counts: string;
  readonly retries: string;
  readonly deadLetters: string;
  readonly scored: string;
};

export function streamKeys(market: string, corridor: string, shard: number): StreamKeys {
  const tag = `{${market}:${corridor}:${partitionOf(shard)}}`;
  const past = isPast(shard) ? 'past-' : '';
  return {
    corridor,
    shard,
    transactions: `${tag}:${isPast(shard) ? 'past' : 'transactions'}`,
    counts: `${tag}:${past}counts`,
    retries: `${tag}:${past}retries`,
    deadLetters: `${tag}:transactions-dlq`,
    scored: `${tag}:transactions-scored`,
  };
}

/** Streams of a corridor. */
export type ShardsOf = (corridor: string) => number;

export const isPast = (shard: number) => shard >= SHARDS_MAX;

/** The shard itself, or that of a past. */
export const partitionOf = (shard: number) => shard % SHARDS_MAX;

/** The number of a shard in metrics and names of breakers, `past-0` for a past. */
export const shardLabel = (shard: number) => `${isPast(shard) ? 'past-' : ''}${partitionOf(shard)}`;

/** Names what a shard and its past share: the slot of a cluster. */
export const tagOf = ({ corridor, shard }: Pick<StreamKeys, 'corridor' | 'shard'>): string =>
  `${corridor}:${partitionOf(shard)}`;

/** The streams of these corridors, shard by shard, each followed by its past. */
export function streamsOf(
  market: string,
  corridors: Iterable<string>,
  shardsOf: ShardsOf,
): StreamKeys[] {
  return [...corridors].flatMap((corridor) =>
    Array.from({ length: shardsOf(corridor) }, (_, shard) => [
      streamKeys(market, corridor, shard),
      streamKeys(market, corridor, SHARDS_MAX + shard),
    ]).flat(),
  );
}

/** Shard of an account: murmur3 (32 bit, seed 0) of its id; its past where the transaction was old when it was received. */
export function shardOf(
  { accountId, createdAtMs }: { readonly accountId: string; readonly createdAtMs: number },
  receivedAtMs: number,
  shards: number,
): number {
  const shard = shards === 1 ? 0 : murmurhash.v3(accountId, 0) % shards;
  return createdAtMs < receivedAtMs - PAST_AGE_MS ? SHARDS_MAX + shard : shard;
}

/** The number, below PROFILE_SLOTS, of the slot that holds a party's key. */
export function profileSlot(partyId: string): number {
  return murmurhash.v3(partyId, 0) % PROFILE_SLOTS;
}

export function profileKey(
  market: string,
  kind: PartyKind,
  partyId: string,
  slot = profileSlot(partyId),
): string {
  return `${slotTag(market, slot)}:${kind}:${partyId}`;
}

/** The hash tag of the profiles of a slot. */
export function slotTag(market: string, slot: number): string {
  return slot < 10 ? `{${market}:p0${slot}}` : `{${market}:p${slot}}`;
}

/** Matches every profile of a market, for SCAN. A market's name has no character that SCAN interprets. */
export function profileKeyPattern(market: string): string {
  return `{${market}:p[0-9][0-9]}:[amd]*`;
}

/** Matches the profiles of a market and what its parties took of their limits, for SCAN. */
export function partyPattern(market: string): string {
  return `{${market}:[lp]*}:[amde]*`;
}

export function profileHistoryKey(market: string, slot: number): string {
  return `${slotTag(market, slot)}:history`;
}

/** Names a log's copy within a script. */
export function profileCopyKey(market: string, slot: number): string {
  return `${slotTag(market, slot)}:copy`;
}

export function limitKey(market: string, kind: string, scope: string): string {
  return `{${market}:limits}:${kind}:${scope}`;
}

/** @param scope `each:account` */
export function partyKey(market: string, scope: string, partyId: string): string {
  return `{${market}:limits}:${scope}:${partyId}`;
}

/** Keys of a market that belong to no stream and to no party. */
export const marketKeys = (market: string) => ({
  kafkaTries: `{${market}:kafka}:tries`,
  kafkaDelivered: `{${market}:kafka}:delivered`,
  modelsOut: `${market}:models-out`,
  workers: `${market}:workers`,
  workersSeen: `${market}:workers-seen`,
  identity: `${market}:identity`,
  probe: `${market}:probe`,
});

export function repliesChannel(market: string, instance: string): string {
  return `${market}:replies:${instance}`;
}
