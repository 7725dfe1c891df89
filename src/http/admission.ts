/**
 * Who is let in. What would only wait is refused at once, before its body is read: requests beyond what
 * may be in flight, fewer of them while the event loop falls behind, and submissions while Postgres
 * cannot commit. Submissions and the rest have places of their own, so neither crowds the other out.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';

export type RequestKind = 'submit' | 'other';

export type Refusal = 'in-flight' | 'bytes' | 'postgres';

export type Ticket =
  | { readonly leave: () => void; readonly refusal: null }
  | { readonly refusal: Refusal };

export type AdmissionLimits = {
  /** Requests of a kind in flight. */
  readonly requestsMax: number;
  /** Declared body bytes of a kind in flight; one request alone is always let in. */
  readonly bytesMax: number;
  /** Mean delay of the event loop above which fewer are let in. */
  readonly eventLoopDelayMsMax: number;
};

export type Admission = {
  readonly enter: (kind: RequestKind, bytes: number) => Ticket;
  /** Tells the delay of the event loop over the last while. */
  readonly adapt: (eventLoopDelayMs: number) => void;
};

/**
 * The share of the limits in force: cut at once, given back slowly, so that it settles. Never less than
 * what keeps all connections to Postgres busy, as somebody else may be to blame for a late event loop.
 */
const SHARE_MIN = 1 / 4;
const SHARE_CUT = 0.7;
const SHARE_STEP = 1 / 20;

/** @param takesSubmissions false while nothing can be committed */
export function createAdmission(
  limits: AdmissionLimits,
  takesSubmissions: () => boolean,
): Admission {
  let share = 1;
  const places = {
    submit: { requests: 0, bytes: 0 },
    other: { requests: 0, bytes: 0 },
  };
  return {
    enter(kind, bytes) {
      const place = places[kind];
      if (kind === 'submit' && !takesSubmissions()) return { refusal: 'postgres' };
      if (place.requests >= limits.requestsMax * share) return { refusal: 'in-flight' };
      const isTooMuch = place.bytes + bytes > limits.bytesMax * share;
      if (isTooMuch && place.requests > 0) return { refusal: 'bytes' };
      place.requests += 1;
      place.bytes += bytes;
      return {
        refusal: null,
        leave: () => {
          place.requests -= 1;
          place.bytes -= bytes;
        },
      };
    },
    adapt(eventLoopDelayMs) {
      share =
        eventLoopDelayMs > limits.eventLoopDelayMsMax
          ? Math.max(SHARE_MIN, share * SHARE_CUT)
          : Math.min(1, share + SHARE_STEP);
    },
  };
}

const ADAPT_EVERY_MS = 100;
const RESOLUTION_MS = 10;
const NS_PER_MS = 1e6;

/** Measures the event loop and adapts the admission until it is disposed of. */
export function watchEventLoop({ adapt }: Pick<Admission, 'adapt'>): Disposable {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  histogram.enable();
  const timer = setInterval(() => {
    // The histogram holds the time between two beats, of which one resolution is intended.
    if (histogram.count > 0) adapt(histogram.mean / NS_PER_MS - RESOLUTION_MS);
    histogram.reset();
  }, ADAPT_EVERY_MS);
  timer.unref();
  return {
    [Symbol.dispose]: () => {
      clearInterval(timer);
      histogram.disable();
    },
  };
}
