/**
 * The order in which a read takes streams: deficit round robin. A read ends once it has a batch, so the last streams may get nothing,
 * and an entry is read whole, so the first may get more than their share. In a fixed order the first of a corridor's shards drains
 * first, and merchants of all shards are rebuilt for each shard behind it (2.6 times the processor time with four shards).
 */
import type { StreamKeys } from '../stream/keys.ts';

/** Transactions by stream, in the order of the read. */
export type ByStream = ReadonlyMap<StreamKeys, number>;

/** Streams that may have more than the read returned, as the read ended with its batch: its last stream, and those behind it. */
export function cutOff(asked: ByStream, read: ByStream, transactionsMax: number): StreamKeys[] {
  if (totalOf(read) < transactionsMax) return [];
  const streams = [...asked.keys()];
  const last = streams.findLastIndex((stream) => read.has(stream));
  return streams.slice(Math.max(0, last));
}

export type StreamTurns = {
  /** Orders the streams of the next read: those that lack most of their shares come first. */
  readonly order: (streams: readonly StreamKeys[]) => StreamKeys[];
  /** @param asked shares of the read */
  readonly note: (asked: ByStream, read: ByStream, cut: readonly StreamKeys[]) => void;
};

export function createStreamTurns(): StreamTurns {
  /** Transactions that a stream lacks of its shares; negative: that the stream got beyond them. */
  const lacking = new Map<StreamKeys, number>();
  const lackOf = (stream: StreamKeys) => lacking.get(stream) ?? 0;
  return {
    order: (streams) => [...streams].sort((one, other) => lackOf(other) - lackOf(one)),
    note(asked, read, cut) {
      if (cut.length === 0) {
        lacking.clear();
        return;
      }
      // Shares of what was read, so that whole entries beyond the batch make nobody's lack grow.
      const each = totalOf(read) / totalOf(asked);
      for (const [stream, share] of asked) {
        const count = read.get(stream) ?? 0;
        if (count >= share || cut.includes(stream)) {
          lacking.set(stream, lackOf(stream) + share * each - count);
        } else lacking.delete(stream);
      }
    },
  };
}

const totalOf = (counts: ByStream) => [...counts.values()].reduce((sum, count) => sum + count, 0);
