/**
 * A circuit breaker around the calls to one dependency: closed, open, half-open, closed. It opens after
 * `failuresMax` failures in a rolling window with no success between them, refuses at once while it is
 * open, and closes after `successesMax` successes. `watchBreaker` finds the end of an outage early.
 */

import { answerWithin } from '../process/settles-within.ts';
import { Failure } from '../words/failure.ts';

export const BREAKER_STATES = ['closed', 'half-open', 'open'] as const;
export type BreakerState = (typeof BREAKER_STATES)[number];

/** Outcomes of the calls since the last reading. */
export type Tally = {
  readonly calls: number;
  readonly failures: number;
  readonly meanMs: number;
};

export type Guard = <T>(call: () => Promise<T>) => Promise<T>;

export type Breaker = ReturnType<typeof createBreaker>;

type BreakerOptions = {
  readonly name: string;
  /** Monotonic clock. */
  readonly nowMs: () => number;
  /** Whether an error of a call means that the dependency is at fault; any other error counts as an answer. */
  readonly isFailure: (thrown: unknown) => boolean;
  /** Whether the call failed before it reached the dependency; such a call does not count. */
  readonly isOwn: (thrown: unknown) => boolean;
  /** @param cause the last failure, if a failure has opened the breaker */
  readonly onChange: (state: BreakerState, cause?: unknown) => void;
  readonly settings?: BreakerSettings;
  /** The refusal that callers get in place of the breaker's own words. */
  readonly refusal?: { readonly code: string; readonly message: string };
};

export type BreakerSettings = {
  readonly failuresMax: number;
  readonly successesMax: number;
  /** From opening to the first trial call; a probe that succeeds ends it earlier. */
  readonly openMs: number;
  readonly windowMs: number;
};

export const BREAKER_SETTINGS: BreakerSettings = {
  failuresMax: 5,
  successesMax: 3,
  openMs: 30_000,
  windowMs: 60_000,
};

/** Code of the Failure with which a breaker refuses. */
export const BREAKER_OPEN = 'BREAKER_OPEN';
const WINDOW_BUCKETS = 10;

/** Wait that a refused caller is told while another call is on trial. */
const TRIAL_MS = 1000;

type Call = {
  readonly startedMs: number;
  readonly isMeasured: boolean;
  readonly reject: (reason: Failure) => void;
};

const EVERY_MS = 250;
/**
 * The dependency is probed when calls are under way for this long and none ends. A longer time leaves a busy process too
 * little of the two seconds below; a shorter one probes a server that only has long statements more often.
 */
const STALL_MS = 250;
/**
 * A caller of a hanging dependency is promised an answer within two seconds. Both bounds above, one tick and this one take
 * 1.5 s, and a process at a load of 6 on two cores took 0.32 s more. Long enough for a server at five round trips of 200 ms:
 * slow is not gone.
 */
const CHECK_MS_MAX = 1000;

// biome-ignore lint/complexity/noExcessiveLinesPerFunction: one state machine, whose transitions belong side by side
export function createBreaker(options: BreakerOptions) {
  const { name, nowMs, isFailure, isOwn, onChange, settings = BREAKER_SETTINGS, refusal } = options;
  const failures = createFailureWindow(settings.windowMs);
  /** Calls in the order in which they began. */
  const underWay = new Set<Call>();
  const attended = new Set<Call>();
  let state: BreakerState = 'closed';
  let openedMs = 0;
  let endedMs = nowMs();
  let successes = 0;
  let hasTrial = false;
  let tally = { calls: 0, failures: 0, totalMs: 0 };

  const change = (to: BreakerState, cause?: unknown) => {
    if (to === 'open') openedMs = nowMs();
    if (to === state) return;
    state = to;
    successes = 0;
    failures.clear();
    onChange(to, cause);
  };
  const succeeded = () => {
    failures.clear();
    if (state === 'open') change('half-open');
    if (state === 'half-open' && ++successes >= settings.successesMax) change('closed');
  };
  const failed = (thrown: unknown) => {
    const isTooMany = failures.add(nowMs()) >= settings.failuresMax;
    if (state !== 'closed' || isTooMany) change('open', thrown);
  };
  const end = (call: Call, isFailed: boolean) => {
    endedMs = nowMs();
    if (!call.isMeasured) return;
    tally.calls += 1;
    tally.totalMs += endedMs - call.startedMs;
    if (isFailed) tally.failures += 1;
  };
  /** @param thrown undefined where the dependency did its part */
  const settle = (call: Call, isTrial: boolean, thrown?: unknown) => {
    const isFailed = thrown !== undefined;
    if (!underWay.delete(call)) return;
    end(call, isFailed);
    // A call that began while the breaker was closed and ends while it is not does not count.
    if (!isTrial && state !== 'closed') return;
    if (isFailed) failed(thrown);
    else succeeded();
  };
  const start = <T>(make: () => Promise<T>, isTrial: boolean, isMeasured = true): Promise<T> =>
    new Promise((resolve, reject) => {
      const call: Call = { startedMs: nowMs(), isMeasured, reject };
      underWay.add(call);
      make().then(
        (value) => {
          settle(call, isTrial);
          resolve(value);
        },
        (thrown: unknown) => {
          if (isOwn(thrown)) underWay.delete(call);
          else settle(call, isTrial, isFailure(thrown) ? thrown : undefined);
          reject(thrown);
        },
      );
    });
  const tryOne = async <T>(make: () => Promise<T>): Promise<T> => {
    hasTrial = true;
    try {
      return await start(make, true);
    } finally {
      hasTrial = false;
    }
  };
  const runUnlessOpen = async <T>(make: () => Promise<T>): Promise<T> => {
    if (hasTrial || openForMs() > 0) throw refuse();
    change('half-open');
    return await tryOne(make);
  };
  const fail = (code: string, message: string) =>
    new Failure('unavailable', refusal?.code ?? code, refusal?.message ?? message);
  const refuse = () => fail(BREAKER_OPEN, `the breaker of ${name} is ${state}`);
  const openForMs = () => (state === 'open' ? openedMs + settings.openMs - nowMs() : 0);

  return {
    name,
    isFailure,
    state: () => state,
    isClosed: () => state === 'closed',
    /**
     * Makes a call, or throws Failure `unavailable` at once. Not an async function: every call passes here, and one promise more
     * would be half of its cost.
     */
    run: <T>(make: () => Promise<T>) =>
      state === 'closed' ? start(make, false) : runUnlessOpen(make),
    /** As `run`, for a call whose duration another breaker measures: the tally of this breaker lacks the call. */
    runUnmeasured: <T>(make: () => Promise<T>) =>
      state === 'closed' ? start(make, false, false) : runUnlessOpen(make),
    /** Makes a call that proves nothing about the dependency: only `trip` ends the call, and nothing is counted. */
    attend: <T>(make: () => Promise<T>) =>
      new Promise<T>((resolve, reject) => {
        const call: Call = { startedMs: nowMs(), isMeasured: false, reject };
        attended.add(call);
        make()
          .finally(() => attended.delete(call))
          .then(resolve, reject);
      }),
    /** Makes a call in any state; its outcome counts as that of a trial. */
    probe: async (check: () => Promise<unknown>) => {
      await start(check, true).catch(() => undefined);
    },
    /** True while the last calls failed. */
    isFailing: () => failures.hasSome(),
    /** How long calls have been under way without any of them ending; 0 when there are none. */
    stalledMs(of: 'all' | 'measured' = 'all') {
      const [oldest] = of === 'all' ? underWay : [...underWay].filter((call) => call.isMeasured);
      return oldest === undefined ? 0 : nowMs() - Math.max(oldest.startedMs, endedMs);
    },
    /** How long the oldest call is under way, attended ones included; 0 when there are none. */
    oldestMs() {
      const started = [underWay, attended].flatMap(([oldest]) => oldest?.startedMs ?? []);
      return started.length === 0 ? 0 : nowMs() - Math.min(...started);
    },
    /** How long calls are refused from now on; 0 where one may pass. */
    refusedMs: () => Math.max(0, hasTrial ? TRIAL_MS : openForMs()),
    /** Opens the breaker, and ends every call under way with a Failure `unavailable`. */
    trip() {
      const calls = [...underWay];
      underWay.clear();
      change('open');
      const failure = fail('STALLED', `${name} does not answer`);
      for (const call of calls) {
        end(call, true);
        call.reject(failure);
      }
      for (const { reject } of attended) reject(failure);
      attended.clear();
    },
    takeTally(): Tally {
      const { calls, failures: failedCalls, totalMs } = tally;
      tally = { calls: 0, failures: 0, totalMs: 0 };
      return { calls, failures: failedCalls, meanMs: calls === 0 ? 0 : totalMs / calls };
    },
  };
}

/** Failures of the last `windowMs`, expired by buckets. */
function createFailureWindow(windowMs: number) {
  const bucketMs = windowMs / WINDOW_BUCKETS;
  const counts: number[] = new Array(WINDOW_BUCKETS).fill(0);
  let newest = 0;
  let total = 0;
  return {
    add(atMs: number): number {
      const bucket = Math.floor(atMs / bucketMs);
      for (let call = Math.max(newest + 1, bucket - WINDOW_BUCKETS + 1); call <= bucket; call++) {
        total -= counts[call % WINDOW_BUCKETS] ?? 0;
        counts[call % WINDOW_BUCKETS] = 0;
      }
      newest = bucket;
      counts[bucket % WINDOW_BUCKETS] = (counts[bucket % WINDOW_BUCKETS] ?? 0) + 1;
      total += 1;
      return total;
    },
    hasSome: () => total > 0,
    clear() {
      if (total === 0) return;
      counts.fill(0);
      total = 0;
    },
  };
}

/**
 * Keeps a breaker's state current without traffic: probes the dependency while calls fail or the breaker is not
 * closed, so that an outage is noticed, and its end, within a second or two. When calls hang and the probe does
 * not answer either, it trips the breaker, so that no caller waits on.
 * @param check one call that a healthy dependency answers in time; throws what the breaker counts
 */
export function watchBreaker(
  breaker: Breaker,
  check: () => Promise<unknown>,
): { [Symbol.dispose]: () => void } {
  let isBusy = false;
  const probe = async () => {
    if (breaker.state() !== 'closed' || breaker.isFailing()) {
      await breaker.probe(() => answerWithin(check(), CHECK_MS_MAX));
    }
    if (breaker.state() !== 'closed' || breaker.stalledMs() < STALL_MS) return;
    const isOut = await answerWithin(check(), CHECK_MS_MAX).then(() => false, breaker.isFailure);
    if (isOut) breaker.trip();
  };
  const timer = setInterval(async () => {
    if (isBusy) return;
    isBusy = true;
    await probe();
    isBusy = false;
  }, EVERY_MS);
  timer.unref();
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
