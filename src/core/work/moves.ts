/**
 * Moves of corridors between shards. A stream that gets accounts of other streams is left alone until those have nothing that was
 * appended before the move, delivered or not, so that an account's transactions are scored in one order. Retries, and entries
 * that only another release reads, are not waited for.
 */
import { formerShards, MOVE_MS, type Move } from '../domain/layout.ts';
import type { Market } from '../market.ts';
import { type StreamKeys, streamKeys } from '../stream/keys.ts';
import { measureStreams } from '../stream/status/lag.ts';

export type Moves = {
  readonly waits: (stream: StreamKeys) => boolean;
  /** Looks which of these streams need not wait any more. Throws a Failure. */
  readonly look: (streams: readonly StreamKeys[]) => Promise<void>;
};

export function createMoves({ name, redis, moveOf }: Market): Moves {
  /** The move that is over, by stream. */
  const over = new Map<string, number>();
  const moveOfWaiting = ({ corridor, shard, transactions }: StreamKeys): Move | null => {
    const move = moveOf(corridor);
    if (move === null || move.ageMs < MOVE_MS.wait) return null;
    if (over.get(transactions) === move.atMs || formerShards(move, shard).length === 0) return null;
    return move;
  };
  return {
    waits: (stream) => moveOfWaiting(stream) !== null,
    async look(streams) {
      for (const stream of streams) {
        const move = moveOfWaiting(stream);
        if (move === null) continue;
        const former = formerShards(move, stream.shard);
        const isOwnOver = await isOver(redis, name, stream.corridor, move, former);
        if (isOwnOver) over.set(stream.transactions, move.atMs);
      }
    },
  };
}

/**
 * Whether former shards have nothing that was appended before the move. Throws a Failure.
 * @param former all of them, unless some are named
 */
export async function isOver(
  redis: Market['redis'],
  market: string,
  corridor: string,
  move: Move,
  former: readonly number[] = Array.from({ length: move.to }, (_, shard) =>
    formerShards(move, shard),
  ).flat(),
): Promise<boolean> {
  const lastMs = move.ageMs - MOVE_MS.last;
  if (lastMs < 0) return false;
  const streams = former.map((shard) => streamKeys(market, corridor, shard));
  const measured = await measureStreams(redis, streams);
  return measured.every((one) => one.readableAgeMs <= lastMs);
}
