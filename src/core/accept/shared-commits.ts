/**
 * Posts of one client that arrive at the same time share a commit and its appends, as each has a fixed cost: a
 * synchronous write and its round trips.
 */
import pLimit from 'p-limit';
import { CORRIDOR_STUCK } from '../../kit/breakers/corridor-writes.ts';
import { settlesWithin } from '../../kit/process/settles-within.ts';
import { Failure, isUnavailable } from '../../kit/words/failure.ts';

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
  /** Time between the beginnings of two runs, unless the later one is full or its caller alone. */
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
    pace = setTimeout(() => {
      pace = undefined;
      beginNext();
    }, paceMs);
    running += 1;
    const results = (async () => run(items))();
    begin(results);
    await settlesWithin(results, stallMs);
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
