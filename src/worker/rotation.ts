/**
 * Who reads which stream next. A stream is a token: one reader of this process has it from before the
 * read until its entries are folded, so a stream's entries are folded in their order, while the next
 * batch of that stream is already read when the last one is being written. Tokens go round in a queue,
 * so no stream starves another.
 */
import type { StreamKeys } from '../stream/keys.ts';

export type Rotation = {
  /** All streams, held or free. */
  readonly streams: () => readonly StreamKeys[];
  /** Adds a stream that is not in yet. */
  readonly add: (stream: StreamKeys) => void;
  /** Every free stream, longest free first; waits for one. Empty when the worker stops. */
  readonly take: () => Promise<StreamKeys[]>;
  readonly giveBack: (streams: Iterable<StreamKeys>) => void;
};

export function createRotation(signal: AbortSignal): Rotation {
  const all = new Map<string, StreamKeys>();
  let free: StreamKeys[] = [];
  const waiters: (() => void)[] = [];
  signal.addEventListener(
    'abort',
    () => {
      for (const wake of waiters.splice(0)) wake();
    },
    { once: true },
  );
  const wakeOne = () => waiters.shift()?.();
  return {
    streams: () => [...all.values()],
    add(stream) {
      if (all.has(stream.transactions)) return;
      all.set(stream.transactions, stream);
      free.push(stream);
      wakeOne();
    },
    async take() {
      while (free.length === 0 && !signal.aborted) {
        await new Promise<void>((resolve) => waiters.push(resolve));
      }
      if (signal.aborted) return [];
      const taken = free;
      free = [];
      return taken;
    },
    giveBack(streams) {
      free.push(...streams);
      if (free.length > 0) wakeOne();
    },
  };
}
