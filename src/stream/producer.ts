/**
 * The way into the streams: after ingest has committed, a batch's entries are appended, one script call
 * a stream. Used by ingest, the reconciler and replays. Nothing here is needed for durability: what is
 * refused or fails is appended later from Postgres. From its first refusal on a stream is held in Redis,
 * for all processes: it takes only what the reconciler brings, so that nothing newer overtakes.
 */
import type { Failure } from '../domain/failure.ts';
import type { Transaction } from '../domain/transaction.ts';
import { type RedisClient, toRedisFailure } from './connection.ts';
import { ENTRY_VERSION, type EntryPayload, encodeEntry } from './entry.ts';
import { type StreamKeys, shardOf, streamKeys } from './keys.ts';
import { isStreamAtFault } from './outage.ts';
import { loadScript, runScripts } from './scripts.ts';

export type ProducerOptions = {
  readonly redis: RedisClient;
  readonly market: string;
  readonly shards: number;
  /** Entries in one stream beyond which a group is refused. */
  readonly entriesMax: number;
  /** True for the reconciler: held streams take its entries, as many as fit. */
  readonly bringsOwed?: boolean;
};

export type AppendResult = {
  readonly appended: number;
  /** Entries of streams that are full or held. */
  readonly refused: number;
  /** Those entries, so that a caller can come back with them alone. */
  readonly left: readonly EntryPayload[];
};

export type Producer = {
  /** Throws Failure `unavailable`; entries of other streams may have been appended all the same. */
  readonly append: (payloads: readonly EntryPayload[]) => Promise<AppendResult>;
  /** These were not even tried: their streams are held with the next append to them. */
  readonly leave: (payloads: readonly EntryPayload[]) => void;
};

/** Which stream a transaction belongs to. */
export function createStreamChoice(
  market: string,
  shards: number,
): (transaction: Pick<Transaction, 'corridor' | 'accountId'>) => StreamKeys {
  const streams = new Map<string, StreamKeys>();
  return ({ corridor, accountId }) => {
    const shard = shardOf(accountId, shards);
    const name = `${corridor}:${shard}`;
    let stream = streams.get(name);
    if (stream === undefined) {
      stream = streamKeys(market, corridor, shard);
      streams.set(name, stream);
    }
    return stream;
  };
}

export function createProducer(options: ProducerOptions): Producer {
  const { redis, market, shards, entriesMax, bringsOwed = false } = options;
  const script = loadScript('append-2');
  const streamOf = createStreamChoice(market, shards);
  const choose = ({ transaction }: EntryPayload) => streamOf(transaction);
  /** Streams that an append failed for since they last answered: at most one an existing stream. */
  const owing = new Set<StreamKeys>();
  const modeOf = (stream: StreamKeys) => {
    if (bringsOwed) return 'owed';
    return owing.has(stream) ? 'leave' : 'direct';
  };
  const send = async (groups: ReadonlyMap<StreamKeys, readonly EntryPayload[]>) =>
    await runScripts(
      redis,
      script,
      [...groups].map(([stream, group]) => ({
        keys: [stream.transactions, stream.held],
        args: [entriesMax, ENTRY_VERSION, modeOf(stream), ...group.map(encodeEntry)],
      })),
    ).catch((error: unknown) => [...groups].map(() => toRedisFailure(error)));
  return {
    async append(payloads) {
      const groups = Map.groupBy(payloads, choose);
      if (groups.size === 0) return { appended: 0, refused: 0, left: [] };
      const replies = await send(groups);
      const left: EntryPayload[] = [];
      let failure: Failure | undefined;
      [...groups].forEach(([stream, group], index) => {
        const reply = replies[index];
        if (typeof reply === 'number') {
          owing.delete(stream);
          for (const payload of group.slice(reply)) left.push(payload);
        } else {
          owing.add(stream);
          const reason = toRedisFailure(reply);
          // The reconciler comes back to it as to one that is full: it has other streams to bring to.
          if (bringsOwed && isStreamAtFault(reason)) left.push(...group);
          else failure ??= reason;
        }
      });
      if (failure !== undefined) throw failure;
      return { appended: payloads.length - left.length, refused: left.length, left };
    },
    leave(payloads) {
      for (const payload of payloads) owing.add(choose(payload));
    },
  };
}
