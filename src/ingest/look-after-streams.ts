/**
 * One look of the reconciler at the streams: appends what open batches owe them, and releases those that
 * are owed nothing any more. A stream is released only when no group was refused since its refusals were
 * read, which is before the batches are: each refused group is committed, hence was seen.
 */
import type { StreamHolds, StreamState } from '../stream/holds.ts';
import type { AppendMissing } from './append-missing.ts';
import type { OpenBatches, OpenBatchesDependencies } from './append-open-batches.ts';

export type LookDependencies = OpenBatchesDependencies & {
  /** All streams of the market. */
  readonly readStreams: () => Promise<readonly StreamState[]>;
  readonly holds: Pick<StreamHolds, 'hold' | 'release'>;
  /** Transactions a stream may hold. */
  readonly transactionsMax: number;
  readonly batchAgeMs: number;
  readonly now: () => number;
};

export type Look = (options: {
  readonly append: AppendMissing;
  /** Streams that a recovery serves first. */
  readonly barred: (stream: string) => boolean;
  readonly isOver: () => boolean;
}) => Promise<Looked>;

export type Looked = {
  /** Batches that were closed. */
  readonly closed: number;
  /** Streams that are held after it. */
  readonly held: number;
  /** Another look would find something to do. */
  readonly again: boolean;
};

/** Share of a full stream that is free before it is filled up again, so that pages are worth reading. */
const REFILL_SHARE = 0.01;
/** While all that is owed waits for full streams, others are looked after this often. */
const FULL_LOOK_EVERY_MS = 5000;
/**
 * Under constant refusals a stream is released after so many looks that found nothing owed: what was
 * refused during the last of them comes late, by the age at which a batch is appended again.
 */
const CLEAR_LOOKS_MAX = 10;

type States = ReadonlyMap<string, StreamState>;

export function createLook(dependencies: LookDependencies, openBatches: OpenBatches): Look {
  const { now, holds, batchAgeMs } = dependencies;
  const clearLooks = new Map<string, number>();
  let lookedAtMs = Number.NEGATIVE_INFINITY;

  /** True when it is open again. */
  const release = async (name: string, { stream, refusals }: StreamState) => {
    const looks = clearLooks.get(name) ?? 0;
    const isReleased = await holds.release(stream, looks < CLEAR_LOOKS_MAX ? refusals : null);
    if (isReleased) clearLooks.delete(name);
    else clearLooks.set(name, looks + 1);
    return isReleased;
  };

  return async ({ append, barred, isOver }) => {
    const streams = await readByName(dependencies);
    const held = heldOf(streams);
    const isRoomy = roomCheck(dependencies, streams, REFILL_SHARE);
    const hasRoom = (name: string) => !barred(name) && isRoomy(name);
    const full = openBatches.full();
    const isWaiting = held.size > 0 && [...held].every((name) => full.has(name) && !hasRoom(name));
    if (isWaiting && now() - lookedAtMs < FULL_LOOK_EVERY_MS) {
      return { closed: 0, held: held.size, again: false };
    }
    lookedAtMs = now();
    const hold = async (names: readonly string[]) => {
      await holds.hold(names.flatMap((name) => streams.get(name)?.stream ?? []));
      for (const name of names) held.add(name);
    };
    const ages = { nowMs: lookedAtMs, agedMs: batchAgeMs };
    const heldBefore = new Set(held);
    const round = { ...ages, held, barred, hasRoom, hold, append, isOver };
    const { closed, settled, isWhole } = await openBatches.round(round);
    let again = settled > 0 || held.size > heldBefore.size;
    const isOwed = (name: string) => !isWhole || barred(name) || openBatches.full().has(name);
    for (const [name, state] of streams) {
      if (!heldBefore.has(name) || isOwed(name)) continue;
      if (await release(name, state)) held.delete(name);
      else again = true;
    }
    return { closed, held: held.size, again };
  };
}

export async function readByName({
  readStreams,
}: Pick<LookDependencies, 'readStreams'>): Promise<States> {
  return new Map((await readStreams()).map((state) => [state.stream.transactions, state]));
}

function heldOf(streams: States): Set<string> {
  return new Set([...streams].flatMap(([name, { refusals }]) => (refusals === null ? [] : name)));
}

/** Whether at least a share of a stream is free. */
export function roomCheck(
  { transactionsMax }: Pick<LookDependencies, 'transactionsMax'>,
  streams: States,
  share: number,
): (stream: string) => boolean {
  const room = Math.max(1, transactionsMax * share);
  return (stream) => transactionsMax - (streams.get(stream)?.held ?? 0) >= room;
}
