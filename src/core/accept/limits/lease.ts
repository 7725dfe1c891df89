/**
 * A process' lease of a limit: quota is fetched in slices of 50 ms, used here, and what is left of a slice goes back with the
 * next fetch. So N processes let through the rate and the burst, and at any moment N slices more or fewer.
 */
import type { Rate } from '../../domain/control-kinds.ts';
import type { Quota, QuotaRequest } from '../../stream/party-quota.ts';

type LeaseOptions = Rate & {
  /** Undefined: Redis does not answer. */
  readonly fetch: (ask: Pick<QuotaRequest, 'need' | 'want' | 'back'>) => Promise<Quota | undefined>;
  /** Live API processes, at least 1: without Redis each grants its share. */
  readonly processes: () => number;
  /** Monotonic clock. */
  readonly nowMs: () => number;
};

export type Lease = ReturnType<typeof createLease>;

/** How long a slice lasts. Longer slices are less exact, shorter ones cost more calls of Redis. */
export const SLICE_MS = 50;
/** A limit that is used up is asked for again when it has earned so much: at most 200 calls a second and process. */
const PAUSE_MS = 5;
/** Units by which sums of fractions may be off. */
const ROUNDING = 1e-3;
/** How long a process grants its share before it asks Redis again. */
export const AWAY_MS = 500;

type Ways = {
  /** Undefined where the slice does not suffice. */
  readonly ofSlice: () => number | undefined;
  /** While Redis is away. */
  readonly ofShare: () => number;
  /** Once nothing more is to be had. */
  readonly ofRest: () => number;
};

export function createLease({ ratePerSecond, burst, fetch, processes, nowMs }: LeaseOptions) {
  const perMs = ratePerSecond / 1000;
  const slice = Math.max(1, Math.floor(perMs * SLICE_MS));
  const pause = Math.min(burst, perMs * PAUSE_MS);
  const takeShare = createShare({ ratePerSecond, burst }, processes, nowMs);
  let left = 0;
  let endsAtMs = Number.NEGATIVE_INFINITY;
  /** Units that Redis had left at `freeAtMs`; Redis has at most this number and the units earned since. */
  let free = burst;
  let freeAtMs = Number.NEGATIVE_INFINITY;
  /** Units asked for since the last fetch. */
  let asked = 0;
  let awayUntilMs = Number.NEGATIVE_INFINITY;
  let fetching: Promise<void> | undefined;

  const freeNow = () => Math.min(burst, free + (nowMs() - freeAtMs) * perMs);
  const missing = (n: number) => Math.max(n, pause) - freeNow() - left;
  const takeLeft = (n: number): boolean => {
    if (left < n || nowMs() >= endsAtMs) return false;
    left -= n;
    return true;
  };
  const refill = async (need: number, want: number) => {
    const atMs = nowMs();
    const sinceMs = Math.max(PAUSE_MS, atMs - freeAtMs);
    const pace = Math.min(slice, Math.ceil((asked * SLICE_MS) / sinceMs));
    const back = left;
    left = 0;
    asked = 0;
    const quota = await fetch({ need, want: Math.max(want, pace), back });
    if (quota === undefined) {
      awayUntilMs = nowMs() + AWAY_MS;
      return;
    }
    left += quota.taken;
    endsAtMs = nowMs() + SLICE_MS;
    free = quota.free;
    freeAtMs = atMs;
  };
  const waitOf = (n: number) => Math.max(missing(n), ROUNDING) / ratePerSecond;
  /**
   * Fetches once where units may be there. Each way to take runs in one turn with the look that chose it.
   * @param least units without which nothing is fetched
   */
  const gather = async (least: number, want: number, ways: Ways): Promise<number> => {
    for (let hasFetched = false; ; ) {
      const taken = ways.ofSlice();
      if (taken !== undefined) return taken;
      if (nowMs() < awayUntilMs) return ways.ofShare();
      if (fetching !== undefined) {
        await fetching;
        continue;
      }
      if (hasFetched || missing(least) > 0) return ways.ofRest();
      fetching = refill(least, want).finally(() => {
        fetching = undefined;
      });
      await fetching;
      hasFetched = true;
    }
  };
  const takeRest = (n: number) => {
    const some = nowMs() < endsAtMs ? Math.min(n, Math.floor(left)) : 0;
    left -= some;
    return some;
  };
  return {
    ratePerSecond,
    burst,
    /**
     * Takes n units or none.
     * @param want units that the caller will take one after another, this one included
     * @returns 0 where they are taken, otherwise the seconds after which they may be there
     */
    take(n: number, want = n): number | Promise<number> {
      asked += n;
      if (takeLeft(n)) return 0;
      return gather(n, want, {
        ofSlice: () => (takeLeft(n) ? 0 : undefined),
        ofShare: () => takeShare(n),
        ofRest: () => waitOf(n),
      });
    },
    /** Takes as many of n units as there are. */
    takeSome(n: number): number | Promise<number> {
      asked += n;
      if (takeLeft(n)) return n;
      return gather(1, n, {
        ofSlice: () => (takeLeft(n) ? n : undefined),
        ofShare: () => takeOneByOne(n, takeShare),
        ofRest: () => takeRest(n),
      });
    },
    giveBack(n: number): void {
      left += n;
    },
    /** Units that may be left in all, as far as this process knows. */
    remaining: () => Math.max(0, Math.floor(Math.min(burst, freeNow() + left) + ROUNDING)),
  };
}

function takeOneByOne(n: number, take: (n: number) => number): number {
  let some = 0;
  while (some < n && take(1) === 0) some += 1;
  return some;
}

/** A process' share of rate and burst while Redis is away. */
function createShare({ ratePerSecond, burst }: Rate, processes: () => number, nowMs: () => number) {
  // Owed units, not owed time, as the time of a unit changes with the number of processes that share the limit.
  let owed = 0;
  let atMs = nowMs();
  return (n: number): number => {
    const sharers = Math.max(1, processes());
    const perSecond = ratePerSecond / sharers;
    const share = Math.max(1, burst / sharers);
    const now = nowMs();
    owed = Math.min(share, Math.max(0, owed - ((now - atMs) / 1000) * perSecond));
    atMs = now;
    const missing = n + owed - share;
    if (missing > ROUNDING) return missing / perSecond;
    owed += n;
    return 0;
  };
}
