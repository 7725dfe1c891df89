/**
 * Posts of one client that arrive at the same time share a commit and its appends, as each has a fixed cost: a
 * synchronous write and its round trips.
 */
import { setTimeout as delay } from 'node:timers/promises';
import pLimit from 'p-limit';
import { CORRIDOR_STUCK } from '../../kit/breakers/corridor-writes.ts';
import { isKeyTaken } from '../../kit/database/outage.ts';
import {
  isPartitionMissing,
  LOCK_NOT_AVAILABLE,
  sqlStateOf,
} from '../../kit/database/pg-failure.ts';
import { settlesWithin } from '../../kit/process/settles-within.ts';
import { COMMIT_UNKNOWN, Failure, isUnavailable } from '../../kit/words/failure.ts';

/** Posts share a commit where these values are equal. */
export type Poster = {
  readonly client: string;
  /** Instance whose requests wait for their scores; null when none does. */
  readonly replyTo: string | null;
};

/** Resolves to the post's own result; throws what it would throw alone. */
type ShareCommit<Post, Result> = (poster: Poster, post: Post) => Promise<Result>;

type SharedCommitsOptions<Post, Result> = {
  /**
   * Stores posts in one commit; returns one result per post, in their order. Where it throws, nothing is known
   * to be stored.
   */
  readonly store: (poster: Poster, posts: readonly Post[]) => Promise<readonly Result[]>;
  /** Commits of one poster at a time, not counting those that have stalled. */
  readonly commitsMax: number;
  readonly rowsMax: number;
  readonly rowsOf: (post: Post) => number;
  /** The corridor whose posts share commits with none of other corridors for now. */
  readonly apartOf: (post: Post) => string | undefined;
};

/**
 * Posts of a failed commit that are retried one by one at the same time: enough that one that waits for a key
 * does not hold up all.
 */
const ALONE_MAX = 8;
/**
 * A commit of single posts takes 3 to 30 ms here, and one of 1,000 rows up to 100. One that takes longer than this waits
 * for another request's key, or for a crowded machine; neither must hold up the rest.
 */
const COMMIT_STALL_MS = 250;
/** A corridor apart gets no further connections while its commits wait; longer than any of them may. */
const APART_STALL_MS = 3_600_000;
/** Makes four single posts share a commit at 500 a second, where most would otherwise have one of their own. */
const COMMIT_PACE_MS = 8;
/** The same for posts that wait for their scores. Longer: each waits longer; shorter: a worker finds fewer of them in a batch. */
const WAITED_PACE_MS = 12;
/**
 * On a crowded machine commits are slow, and each commit saved speeds up the others: a pace grows to PACE_RUNS times the usual time
 * of a run, up to PACES_MAX paces. Fewer: commits of few rows crowd the machine; more: posts wait without a gain.
 */
const PACE_RUNS = 2;
const PACES_MAX = 3;
/** Weight of the last run in the moving average of the time of runs. */
const NEWEST = 0.2;

type Settled<Result> = { readonly result: Result } | { readonly error: unknown };

/** Resolves to the item's own result; rejects with what its run threw. */
type Coalescer<Input, Result> = (input: Input) => Promise<Result>;

export type CoalescerOptions<Input, Result> = {
  /** Returns one result per item, in their order. */
  readonly run: (items: readonly Input[]) => Promise<readonly Result[]>;
  /** Runs at a time, not counting those that have stalled. */
  readonly runsMax: number;
  /** Most items of a run, unless one item exceeds it. */
  readonly sizeMax: number;
  readonly sizeOf: (input: Input) => number;
  /** A run that takes longer than this no longer delays the next. */
  readonly stallMs: number;
  /** Least time between the beginnings of two runs; a full run, and the run of a lone caller, begin at once. */
  readonly paceMs: number;
};

type Group<Input, Result> = {
  readonly items: Input[];
  size: number;
  readonly results: Promise<readonly Result[]>;
  readonly begin: (results: Promise<readonly Result[]>) => void;
};

export function createSharedCommits<Post, Result>({
  store,
  commitsMax,
  rowsMax,
  rowsOf,
  apartOf,
}: SharedCommitsOptions<Post, Result>): ShareCommit<Post, Result> {
  /** At most two for each API key that has posted, and for each corridor apart. */
  const lanes = new Map<string, Coalescer<Post, Settled<Result>>>();

  /** Stores posts together; each alone where a problem of one must not fail the others. */
  async function settle(
    poster: Poster,
    posts: readonly Post[],
  ): Promise<readonly Settled<Result>[]> {
    try {
      return (await store(poster, posts)).map((result) => ({ result }));
    } catch (error) {
      const isOfCorridor = error instanceof Failure && error.code === CORRIDOR_STUCK;
      const isShared = isUnavailable(error) && !isOfCorridor;
      if (isShared || posts.length === 1) throw error;
      const alone = pLimit(ALONE_MAX);
      const tried = posts.map((post) =>
        alone(() => settle(poster, [post])).catch((error: unknown) => [{ error }]),
      );
      return (await Promise.all(tried)).flat();
    }
  }

  const openLane = (poster: Poster, apart: string | undefined) =>
    createCoalescer<Post, Settled<Result>>({
      run: (posts) => settle(poster, posts),
      runsMax: commitsMax,
      sizeMax: rowsMax,
      sizeOf: rowsOf,
      stallMs: apart === undefined ? COMMIT_STALL_MS : APART_STALL_MS,
      paceMs: poster.replyTo === null ? COMMIT_PACE_MS : WAITED_PACE_MS,
    });

  return async (poster, post) => {
    const apart = apartOf(post);
    const name = `${poster.replyTo ?? ''} ${poster.client} ${apart ?? ''}`;
    const lane = lanes.get(name) ?? openLane(poster, apart);
    lanes.set(name, lane);
    const settled = await lane(post);
    if ('error' in settled) throw settled.error;
    return settled.result;
  };
}

/**
 * Group commit for callers: calls that arrive while earlier ones are under way are run together. A caller that
 * makes one call after the other is never delayed. Once two calls arrive together, a run that is not full
 * begins a moment after the one before it began, as each run has a fixed cost; this ends with a delayed run of
 * a single call.
 */
export function createCoalescer<Input, Result>({
  run,
  runsMax,
  sizeMax,
  sizeOf,
  stallMs,
  paceMs,
}: CoalescerOptions<Input, Result>): Coalescer<Input, Result> {
  /** Runs in the order in which they were opened; only the last one takes items. */
  const groups: Group<Input, Result>[] = [];
  let waiting = 0;
  let running = 0;
  let isShared = false;
  /** Moving average of the time of a run. */
  let usualMs = 0;
  /** The next run that is not full waits for its end. */
  let pace: NodeJS.Timeout | undefined;

  function beginNext(): void {
    for (let next = groups[0]; next !== undefined; next = groups[0]) {
      const isFull = next.size >= sizeMax || groups.length > 1;
      if (running >= runsMax || (pace !== undefined && isShared && !isFull)) return;
      groups.shift();
      void runGroup(next);
    }
  }

  async function runGroup({ items, begin }: Group<Input, Result>): Promise<void> {
    if (waiting === 1) isShared = false;
    clearTimeout(pace);
    const usualPaceMs = Math.max(paceMs, Math.min(PACE_RUNS * usualMs, PACES_MAX * paceMs));
    pace = setTimeout(() => {
      pace = undefined;
      beginNext();
    }, usualPaceMs);
    running += 1;
    const beganMs = performance.now();
    const results = (async () => run(items))();
    begin(results);
    await settlesWithin(results, stallMs);
    usualMs += (performance.now() - beganMs - usualMs) * NEWEST;
    running -= 1;
    beginNext();
  }

  function openGroup(): Group<Input, Result> {
    const { promise: results, resolve: begin } = Promise.withResolvers<readonly Result[]>();
    const group = { items: [], size: 0, results, begin };
    groups.push(group);
    return group;
  }

  return async (input) => {
    const last = groups.at(-1);
    const size = sizeOf(input);
    const group = last === undefined || last.size + size > sizeMax ? openGroup() : last;
    group.size += size;
    const index = group.items.push(input) - 1;
    waiting += 1;
    if (waiting > 1) isShared = true;
    // A caller of the same turn joins the same run.
    queueMicrotask(beginNext);
    try {
      const result = (await group.results)[index];
      if (result === undefined) throw new Error(`no result of item ${index}`);
      return result;
    } finally {
      waiting -= 1;
    }
  };
}

/**
 * The failures of the store that ingest tries again by itself, before its caller hears of them: a lost race with
 * another transaction, a commit whose outcome is unknown, a connection that was dead when it was taken from the
 * pool, a partition that vanished. All other failures go to the caller.
 */
const TRIES_MAX = 6;
const JITTER_MS = 20;
/** A failure this early means a stale connection; a later one is an outage, which ends in 503. */
const STALE_MS_MAX = 300;
const RACES_LOST = new Set(['40P01', '40001']);
const STATEMENT_CANCELLED = '57014';

/**
 * @param work    one try; whatever it repeats must be safe to repeat
 * @param forget  forgets which partitions are known to exist
 */
export async function retryStore<T>(work: () => Promise<T>, forget: () => void): Promise<T> {
  const startedAt = performance.now();
  for (let tried = 1; ; tried++) {
    try {
      return await work();
    } catch (error) {
      const elapsedMs = performance.now() - startedAt;
      if (isPartitionMissing(error)) forget();
      else if (!isWorthAnotherTry(error, tried, elapsedMs)) throw asAnswer(error);
      if (tried === TRIES_MAX) throw asAnswer(error);
      await delay(Math.random() * JITTER_MS * tried);
    }
  }
}

function isWorthAnotherTry(error: unknown, tried: number, elapsedMs: number): boolean {
  if (!(error instanceof Failure)) return false;
  if (error.code === COMMIT_UNKNOWN || error.kind === 'transient') return tried <= 2;
  if (error.kind !== 'unavailable' || error.code === CORRIDOR_STUCK) return false;
  const state = sqlStateOf(error);
  if (state !== undefined && RACES_LOST.has(state)) return true;
  if (state === LOCK_NOT_AVAILABLE || state === STATEMENT_CANCELLED) return false;
  return tried === 1 && elapsedMs < STALE_MS_MAX;
}

/** Reaching the deadline while another request inserts the same key is a conflict, not an outage. */
function asAnswer(error: unknown): unknown {
  if (!(error instanceof Failure) || !isKeyTaken(error)) return error;
  return new Failure(
    'conflict',
    'STILL_RUNNING',
    'the first request with this idempotency key is still running',
    { cause: error },
  );
}
