/**
 * Whether a stream is the one that was last seen, with all that was appended to it. Its group and its retries hold a token
 * that is gone with either of them; and the server continues the history of writes that it continued then, which a
 * restart or a promotion ends, as replication and the disk may lack the last second.
 */
import { randomUUID } from 'node:crypto';
import type { RedisClient } from '../../../kit/redis/connection.ts';
import { unexpected } from '../../../kit/redis/outage.ts';
import { Failure } from '../../../kit/words/failure.ts';
import { GROUP, type StreamKeys, TOKEN_PREFIX } from '../keys.ts';
import { loadScript, runOnStreams } from '../scripts.ts';

/** Proof that a stream has lost nothing. */
type StreamProof = { readonly token: string; readonly history: string };

export type ProvenStream = { readonly stream: StreamKeys; readonly proof: StreamProof };

/** A stream that does not match its proof: null where its token is gone, else the new proof. */
type BrokenStream = { readonly stream: StreamKeys; readonly proof: StreamProof | null };

const continues = loadScript('continues-2');

/**
 * One round trip on a single node. A key of another type proves nothing; the stream waits until the key is removed.
 * Throws a Failure.
 */
export async function findBroken(
  redis: RedisClient,
  streams: readonly ProvenStream[],
): Promise<BrokenStream[]> {
  const calls = streams.map(({ stream, proof }) => ({
    keys: [stream.transactions, stream.retries],
    args: [GROUP, proof.token],
  }));
  const replies = await runOnStreams(redis, continues, calls);
  return streams.flatMap(({ stream, proof: { token, history } }, index): BrokenStream[] => {
    const reply = replies[index];
    if (reply instanceof Failure) return [];
    if (!Array.isArray(reply)) throw unexpected('continues');
    if (reply[0] !== 1) return [{ stream, proof: null }];
    return reply[1] === history ? [] : [{ stream, proof: { token, history: String(reply[1]) } }];
  });
}

const plant = loadScript('plant-2');

/**
 * Plants new tokens in one round trip on a single node, except where a key has another type. Throws a Failure.
 * @param isLost true where a token is gone: the group delivers all entries of the stream once more
 */
export async function plantTokens(
  redis: RedisClient,
  streams: readonly StreamKeys[],
  isLost: boolean,
): Promise<ProvenStream[]> {
  const tokens = streams.map(() => `${TOKEN_PREFIX}${randomUUID()}`);
  const calls = streams.map(({ transactions, retries }, index) => ({
    keys: [transactions, retries],
    args: [GROUP, TOKEN_PREFIX, tokens[index] ?? '', isLost ? 1 : 0],
  }));
  const replies = await runOnStreams(redis, plant, calls);
  return streams.flatMap((stream, index) => {
    const history = replies[index];
    if (history instanceof Failure) return [];
    if (typeof history !== 'string') throw unexpected('plant');
    return [{ stream, proof: { token: tokens[index] ?? '', history } }];
  });
}
