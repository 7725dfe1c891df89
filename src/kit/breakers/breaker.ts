/**
 * A circuit breaker around the calls to one dependency: closed, open, half-open, closed. It opens after
 * `failuresMax` failures in a rolling window with no success between them, refuses at once while it is
 * open, and closes after `successesMax` successes. `watchBreaker` finds the end of an outage early.
 */
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

export type Breaker = {
  readonly name: string;
  readonly state: () => BreakerState;
  /** Whether an error of a call means that the dependency is at fault; any other error counts as an answer. */
  readonly isFailure: (thrown: unknown) => boolean;
  /** Makes a call, or throws Failure `unavailable` at once. */
  readonly run: Guard;
  /** Makes a call in any state; its outcome counts as that of a trial. */
  readonly probe: (check: () => Promise<unknown>) => Promise<void>;
  /** True while the last calls failed. */
  readonly isFailing: () => boolean;
  /** How long calls have been under way without any of them ending; 0 when there are none. */
  readonly stalledMs: () => number;
  /** Opens the breaker, and ends every call under way with a Failure `unavailable`. */
  readonly trip: () => void;
  readonly takeTally: () => Tally;
};

type BreakerOptions = {
  readonly name: string;
  /** Monotonic clock. */
  readonly nowMs: () => number;
  readonly isFailure: Breaker['isFailure'];
  /** Whether the call failed before it reached the dependency; such a call does not count. */
  readonly isOwn: (thrown: unknown) => boolean;
  /** @param cause the last failure, if a failure has opened the breaker */
  readonly onChange: (state: BreakerState, cause?: unknown) => void;
  readonly settings?: BreakerSettings;
};

type BreakerSettings = {
  readonly failuresMax: number;
  readonly successesMax: number;
  /** From opening to the first trial call; a probe that succeeds ends it earlier. */
  readonly openMs: number;
  readonly windowMs: number;
};

const BREAKER_SETTINGS: BreakerSettings = {
  failuresMax: 5,
  successesMax: 3,
  openMs: 30_000,
  windowMs: 60_000,
};

/** Code of the Failure with which a breaker refuses. */
export const BREAKER_OPEN = 'BREAKER_OPEN';
const WINDOW_BUCKETS = 10;

type Call = { readonly startedMs: number; readonly reject: (reason: Failure) => void };

// biome-ignore lint/complexity/noExcessiveLinesPerFunction: one state machine, whose transitions belong side by side
export function createBreaker(options: BreakerOptions): Breaker {
  const { name, nowMs, isFailure, isOwn, onChange, settings = BREAKER_SETTINGS } = options;
  const failures = createFailureWindow(settings.windowMs);
  /** Calls in the order in which they began. */
  const underWay = new Set<Call>();
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
  const start = <T>(make: () => Promise<T>, isTrial: boolean): Promise<T> =>
    new Promise((resolve, reject) => {
      const call: Call = { startedMs: nowMs(), reject };
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
    const isTooEarly = state === 'open' && nowMs() - openedMs < settings.openMs;
    if (hasTrial || isTooEarly) throw refuse();
    change('half-open');
    return await tryOne(make);
  };
  const refuse = () =>
    new Failure('unavailable', BREAKER_OPEN, `the breaker of ${name} is ${state}`);

  return {
    name,
    isFailure,
    state: () => state,
    // Not an async function: every call passes here, and one promise more would be half of its cost.
    run: (make) => (state === 'closed' ? start(make, false) : runUnlessOpen(make)),
    probe: async (check) => {
      await start(check, true).catch(() => undefined);
    },
    isFailing: () => failures.hasSome(),
    stalledMs() {
      const [oldest] = underWay;
      return oldest === undefined ? 0 : nowMs() - Math.max(oldest.startedMs, endedMs);
    },
    trip() {
      const calls = [...underWay];
      underWay.clear();
      change('open');
      const failure = new Failure('unavailable', 'STALLED', `${name} does not answer`);
      for (const call of calls) {
        end(call, true);
        call.reject(failure);
      }
    },
    takeTally() {
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
      for (let one = Math.max(newest + 1, bucket - WINDOW_BUCKETS + 1); one <= bucket; one++) {
        total -= counts[one % WINDOW_BUCKETS] ?? 0;
        counts[one % WINDOW_BUCKETS] = 0;
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
