/**
 * Whether a model may go on deciding in one corridor, by the durations and failures of its calls. One bad call
 * proves nothing, and the rules judge in its place. Several in a minute suspend the model; after a wait that
 * doubles each time, trial calls show whether it works again. A model that fails again is hopeless.
 */

/** A call slower than this is as bad as one that fails. */
export const SLOW_MS = 500;
/** Duration of a call beyond which, as after errors, a model is not only suspended but rolled back. */
const SEVERE_MS = 2000;
/** Share of bad calls above which a model is suspended, and how many there must be at least. */
const BAD_SHARE_MAX = 0.05;
const BAD_CALLS_MIN = 3;
const WINDOW_MS = 60_000;
/** Most calls that are remembered: more than a minute's at one a batch. */
const CALLS_MAX = 2000;
/** Trial calls, all of which must succeed. */
const TRIALS = 3;
const SUSPENDED_MS_MIN = 5000;
const SUSPENDED_MS_MAX = 300_000;
/** Two severe suspensions within this time make a model hopeless. */
const RELAPSE_MS = 600_000;

type ModelCall = { readonly tookMs: number; readonly isFailed: boolean };
export type ModelHealth = {
  /** True also for a trial call. */
  readonly mayRun: () => boolean;
  readonly isSuspended: () => boolean;
  /** Records a call; returns the reason when the model should be rolled back. */
  readonly note: (call: ModelCall) => string | undefined;
};

/** @param nowMs monotonic clock */
export function createModelHealth(nowMs: () => number): ModelHealth {
  let calls: (ModelCall & { readonly atMs: number })[] = [];
  let suspendedUntilMs: number | null = null;
  let waitMs = SUSPENDED_MS_MIN;
  let severeAtMs: number | null = null;
  let suspendedAtMs = Number.NEGATIVE_INFINITY;
  let trials = 0;

  const suspend = (isSevere: boolean): string | undefined => {
    const atMs = nowMs();
    waitMs = atMs - suspendedAtMs > RELAPSE_MS ? SUSPENDED_MS_MIN : waitMs;
    suspendedAtMs = atMs;
    suspendedUntilMs = atMs + waitMs;
    waitMs = Math.min(2 * waitMs, SUSPENDED_MS_MAX);
    trials = 0;
    if (!isSevere) return undefined;
    const isRelapse = severeAtMs !== null && atMs - severeAtMs <= RELAPSE_MS;
    severeAtMs = atMs;
    return isRelapse ? describe(calls) : undefined;
  };
  const noteTrial = (call: ModelCall): string | undefined => {
    if (isBad(call)) return suspend(isSevereCall(call));
    trials += 1;
    if (trials === TRIALS) {
      suspendedUntilMs = null;
      calls = [];
    }
    return undefined;
  };
  return {
    mayRun: () => suspendedUntilMs === null || nowMs() >= suspendedUntilMs,
    isSuspended: () => suspendedUntilMs !== null,
    note(call) {
      const atMs = nowMs();
      calls.push({ ...call, atMs });
      const expired = calls.findIndex((one) => atMs - one.atMs <= WINDOW_MS);
      calls.splice(0, Math.max(expired, calls.length - CALLS_MAX));
      if (suspendedUntilMs !== null) return noteTrial(call);
      if (!isBad(call)) return undefined;
      const bad = calls.filter(isBad);
      if (bad.length < BAD_CALLS_MIN || bad.length <= BAD_SHARE_MAX * calls.length)
        return undefined;
      return suspend(bad.filter(isSevereCall).length >= BAD_CALLS_MIN);
    },
  };
}

function isBad({ tookMs, isFailed }: ModelCall): boolean {
  return isFailed || tookMs > SLOW_MS;
}

function isSevereCall({ tookMs, isFailed }: ModelCall): boolean {
  return isFailed || tookMs > SEVERE_MS;
}

function describe(calls: readonly ModelCall[]): string {
  const failed = calls.filter(({ isFailed }) => isFailed).length;
  const slow = calls.filter(({ tookMs }) => tookMs > SEVERE_MS).length;
  return `of ${calls.length} calls within a minute ${failed} failed and ${slow} took over ${SEVERE_MS} ms, again after a suspension`;
}
