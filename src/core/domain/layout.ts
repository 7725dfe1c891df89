/** How a corridor is divided among streams, how it moves from one number of streams to another, and which logs have its entries. */
import { type Compared, type CorridorLog, DEFAULT_SETTINGS } from './corridor-settings.ts';
import type { Switches } from './switch.ts';

/**
 * Times after a change of shards. Every process has read the change after half a second, and a blocking read that began before
 * `wait` has ended before `append` (`RISK_READ_BLOCK_MS` is at most a second). Appends of the former layout that arrive after `last` are not waited for.
 */
export const MOVE_MS = { wait: 1000, append: 2000, last: 3000 };

/** A corridor's last change of shards. */
export type Move = {
  readonly from: number;
  readonly to: number;
  readonly atMs: number;
  readonly ageMs: number;
};

export type Layout = {
  /** Streams of a corridor among which producers divide its accounts now. */
  readonly shardsOf: (corridor: string) => number;
  readonly moveOf: (corridor: string) => Move | null;
  /** Where entries are appended and events published. */
  readonly logOf: (corridor: string) => CorridorLog;
  /** Whether Kafka may have entries of the corridor. */
  readonly everKafka: (corridor: string) => boolean;
  /** When transactions were received whose entries are compared. */
  readonly comparedOf: (corridor: string) => Compared | null;
};

/**
 * @param switches as last read
 * @param elapsedMs the clock to which `clockMs` was compared
 */
export function layoutOf(
  switches: () => Pick<Switches, 'settings' | 'clockMs'>,
  elapsedMs: () => number,
): Layout {
  const settingsOf = (corridor: string) => switches().settings.get(corridor) ?? DEFAULT_SETTINGS;
  const moveOf = (corridor: string): Move | null => {
    const { shards: to, moved } = settingsOf(corridor);
    return moved && { ...moved, to, ageMs: elapsedMs() + switches().clockMs - moved.atMs };
  };
  return {
    moveOf,
    logOf: (corridor) => settingsOf(corridor).log,
    everKafka: (corridor) => settingsOf(corridor).logChangedAtMs !== null,
    comparedOf: (corridor) => settingsOf(corridor).compared,
    shardsOf(corridor) {
      const move = moveOf(corridor);
      if (move !== null && move.ageMs < MOVE_MS.append) return move.from;
      return settingsOf(corridor).shards;
    },
  };
}

/** Shards whose accounts come to this one by the move; one count divides the other. */
export function formerShards({ from, to }: Pick<Move, 'from' | 'to'>, shard: number): number[] {
  if (shard >= to) return [];
  if (to > from) return shard < from ? [] : [shard % from];
  const all = Array.from({ length: from / to }, (_, index) => shard + index * to);
  return all.slice(1);
}

/** Counts to which a corridor may move: an account's stream then has one former stream at most. */
export function countsFrom(shards: number, shardsMax: number): number[] {
  const all = Array.from({ length: shardsMax }, (_, index) => index + 1);
  return all.filter((one) => one % shards === 0 || shards % one === 0);
}
