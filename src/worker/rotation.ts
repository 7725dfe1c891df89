/**
 * Who reads which stream next. A stream is a token: one reader of this process has it from before the
 * read until its entries are folded, so a stream's entries are folded in their order, while the next
 * batch of that stream is already read when the last one is being written. Tokens go round in a queue,
 * so no stream starves another.
 *
 * Streams that are another worker's (own-streams.ts) are looked at now and then: often while our own bring
 * less than we ask for, so that nobody is idle beside a backlog, and seldom while they bring all of it. A look
 * that finds more than it takes is followed by the next at once: then it is help, until the owner keeps up.
 */
import type { StreamKeys } from '../stream/keys.ts';

export type Taken = {
  readonly streams: readonly StreamKeys[];
  /** False: another worker waits for what comes, so only what is there already is read. */
  readonly isOwn: boolean;
};

export type Rotation = {
  /** All streams, held or free. */
  readonly streams: () => readonly StreamKeys[];
  /** Adds a stream that is not in yet. */
  readonly add: (stream: StreamKeys) => void;
  /** Says which streams are ours; until then all are. */
  readonly own: (names: ReadonlySet<string>) => void;
  /** These brought all they were asked for: whoever owns them does not keep up. */
  readonly noteFull: (streams: Iterable<StreamKeys>) => void;
  /** Free streams of one sort, longest free first; waits for one. Empty when the worker stops. */
  readonly take: () => Promise<Taken>;
  readonly giveBack: (streams: Iterable<StreamKeys>) => void;
};

/**
 * How long after the last look another worker's stream is looked at again, idle and busy; for as long as the
 * first we count as busy.
 */
const LOOK_IDLE_MS = 250;
const LOOK_BUSY_MS = 10_000;
const NONE: Taken = { streams: [], isOwn: true };

export function createRotation(signal: AbortSignal, nowMs: () => number): Rotation {
  const all = new Map<string, StreamKeys>();
  const lookedAtMs = new Map<string, number>();
  let mine: ReadonlySet<string> | undefined;
  let busyAtMs = Number.NEGATIVE_INFINITY;
  /** Other workers' streams whose last look was full. */
  const behind = new Set<string>();
  let wasLook = false;
  let free: StreamKeys[] = [];
  const waiters = new Set<() => void>();
  const wakeAll = () => {
    for (const wake of waiters) wake();
  };
  const wakeOne = () => {
    const [wake] = waiters;
    wake?.();
  };
  signal.addEventListener('abort', wakeAll, { once: true });
  const isOwn = ({ transactions }: StreamKeys) => mine?.has(transactions) ?? true;
  const isDue = ({ transactions }: StreamKeys): boolean => {
    const now = nowMs();
    const isBusy = now - busyAtMs < LOOK_IDLE_MS;
    if (!isBusy && behind.has(transactions)) return true;
    const everyMs = isBusy ? LOOK_BUSY_MS : LOOK_IDLE_MS;
    return now - (lookedAtMs.get(transactions) ?? Number.NEGATIVE_INFINITY) >= everyMs;
  };
  const pick = (isWanted: (stream: StreamKeys) => boolean): StreamKeys[] => {
    const picked: StreamKeys[] = [];
    const left: StreamKeys[] = [];
    for (const stream of free) (isWanted(stream) ? picked : left).push(stream);
    free = left;
    // What came back together woke one: what that one leaves is for the next.
    if (picked.length > 0 && left.length > 0) wakeOne();
    return picked;
  };
  /** Resolves when a token comes back, or when one of another worker's streams may be due. */
  const change = async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    // Leaves the queue the moment it is woken: the next token is for somebody who still waits.
    const wake = () => {
      waiters.delete(wake);
      clearTimeout(timer);
      resolve();
    };
    const timer = free.length > 0 ? setTimeout(wake, LOOK_IDLE_MS).unref() : undefined;
    waiters.add(wake);
    await promise;
  };
  return {
    streams: () => [...all.values()],
    add(stream) {
      if (all.has(stream.transactions)) return;
      all.set(stream.transactions, stream);
      free.push(stream);
      wakeOne();
    },
    own(names) {
      mine = names;
      wakeAll();
    },
    noteFull(streams) {
      for (const stream of streams) {
        if (isOwn(stream)) busyAtMs = nowMs();
        else behind.add(stream.transactions);
      }
    },
    async take() {
      while (!signal.aborted) {
        // Ours that nobody waits for come between two looks: help must not starve them.
        const isOurTurn = wasLook && free.some(isOwn);
        const others = isOurTurn ? [] : pick((stream) => !isOwn(stream) && isDue(stream));
        wasLook = others.length > 0;
        for (const { transactions } of others) {
          lookedAtMs.set(transactions, nowMs());
          behind.delete(transactions);
        }
        if (others.length > 0) return { streams: others, isOwn: false };
        const own = pick(isOwn);
        if (own.length > 0) return { streams: own, isOwn: true };
        await change();
      }
      return NONE;
    },
    giveBack(streams) {
      free.push(...streams);
      if (free.length > 0) wakeOne();
    },
  };
}
