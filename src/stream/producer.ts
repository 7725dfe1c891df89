/**
 * The way into the streams: after ingest has committed, a batch's entries are appended, one script call
 * a stream. Used by ingest, the reconciler and replays. Nothing here is needed for durability: what is
 * refused or fails is appended later from Postgres.
 */
import { Failure } from '../domain/failure.ts';
import type { RedisClient } from './connection.ts';
import { ENTRY_VERSION, type EntryPayload, encodeEntry } from './entry.ts';
import { shardOf, streamKeys } from './keys.ts';
import { loadScript, runScripts } from './scripts.ts';

export type ProducerOptions = {
  readonly redis: RedisClient;
  readonly market: string;
  readonly shards: number;
  /** Entries in one stream beyond which a group is refused. */
  readonly entriesMax: number;
};

export type AppendResult = {
  readonly appended: number;
  /** Entries of streams that are full. */
  readonly refused: number;
  /** Those entries, so that a caller can come back with them alone. */
  readonly left: readonly EntryPayload[];
};

export type Producer = {
  /** Throws Failure `unavailable`; entries of other streams may have been appended all the same. */
  readonly append: (payloads: readonly EntryPayload[]) => Promise<AppendResult>;
};

export function createProducer({ redis, market, shards, entriesMax }: ProducerOptions): Producer {
  const script = loadScript('append-1');
  const streams = new Map<string, string>();
  const streamOf = ({ transaction }: EntryPayload): string => {
    const shard = shardOf(transaction.accountId, shards);
    const name = `${transaction.corridor}:${shard}`;
    let stream = streams.get(name);
    if (stream === undefined) {
      stream = streamKeys(market, transaction.corridor, shard).transactions;
      streams.set(name, stream);
    }
    return stream;
  };
  return {
    async append(payloads) {
      const groups = Map.groupBy(payloads, streamOf);
      if (groups.size === 0) return { appended: 0, refused: 0, left: [] };
      const replies = await runScripts(
        redis,
        script,
        [...groups].map(([stream, group]) => ({
          keys: [stream],
          args: [entriesMax, ENTRY_VERSION, ...group.map(encodeEntry)],
        })),
      );
      const left: EntryPayload[] = [];
      [...groups.values()].forEach((group, index) => {
        const reply = replies[index];
        if (reply instanceof Failure) throw reply;
        if (reply !== 1) left.push(...group);
      });
      return { appended: payloads.length - left.length, refused: left.length, left };
    },
  };
}
