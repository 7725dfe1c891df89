/**
 * Admission control: a request that would only wait is refused at once, before its body is read. Limits:
 * requests in flight, fewer of them while submissions take long or the event loop falls behind; and submissions
 * while Postgres cannot commit. Submissions, streams of lines and all other requests have slots of their own,
 * so none crowds the others out. A request that is still uploading holds no slot.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';

/** A stream of lines lasts for as long as its sender likes, so streams crowd out only each other. */
export type RequestKind = 'submit' | 'stream' | 'other';

export type Refusal = 'in-flight' | 'bytes' | 'postgres';

export type Ticket = {
  readonly refusal: null;
  /** Frees the slot while there is nothing to do. */
  readonly lend: () => void;
  /** Takes a slot again, for a body that has so many bytes, or returns why there is none. */
  readonly takeBack: (bytes: number) => Refusal | null;
  /** @param tookMs duration; null where the duration says nothing about the load of this process */
  readonly leave: (tookMs: number | null) => void;
};

type AdmissionLimits = {
  /** Requests of a kind in flight. */
  readonly requestsMax: number;
  /** Body bytes of a kind in flight, as declared until a body is read; a few requests are admitted whatever their size. */
  readonly bytesMax: number;
};

export type Admission = ReturnType<typeof createAdmission>;

/**
 * The share of the limits in force: cut in proportion to the overload, within these bounds, and raised slowly
 * near the knee, so that it settles there, and fast where everything takes less than half of its bound.
 */
const SHARE_CUT = { least: 0.7, most: 0.2 };
const SHARE_STEP = { near: 1 / 200, far: 1 / 20 };
const FAR_FROM_KNEE = 2;
/** Calls of `adapt` between two cuts: the first shows its effect before the next. */
const CUT_EVERY = 5;
/** Mean delay of the event loop above which fewer requests are admitted. Longer: all answers are late first; shorter: pauses of V8 refuse requests. */
const EVENT_LOOP_DELAY_MS_MAX = 100;
/** Mean time of a submission above which more concurrency adds waiting only. */
const TOOK_MS_MAX = 500;
/** Least requests in flight: enough to keep Postgres busy, as the delay may have another cause. */
const REQUESTS_MIN = 16;
/** Requests that are admitted whatever their size, for clients that send large batches one after the other. */
const HEAVY_MIN = 8;

/** Intervals without a submission after which there are none: one second. */
const QUIET_INTERVALS = 10;

/** @param takesSubmissions false while nothing can be committed */
export function createAdmission(limits: AdmissionLimits, takesSubmissions: () => boolean) {
  let took = createTook();
  let quietIntervals = QUIET_INTERVALS;
  const { requestsMax, bytesMax } = limits;
  const shareMin = Math.min(1, REQUESTS_MIN / requestsMax);
  const shares = { submit: createShare(), stream: createShare(), other: createShare() };
  const take = (kind: RequestKind, bytes: number): Refusal | null => {
    const own = shares[kind];
    if (kind !== 'other' && !takesSubmissions()) return 'postgres';
    if (own.requests >= requestsMax * own.share) return 'in-flight';
    const isTooMuch = own.bytes + bytes > bytesMax * own.share;
    if (isTooMuch && own.requests >= HEAVY_MIN) return 'bytes';
    own.requests += 1;
    own.bytes += bytes;
    return null;
  };
  const inFlight = () => shares.submit.requests + shares.stream.requests + shares.other.requests;
  return {
    enter(kind: RequestKind, bytes: number): Ticket | { readonly refusal: Refusal } {
      const refusal = take(kind, bytes);
      if (refusal !== null) return { refusal };
      const own = shares[kind];
      let holds = true;
      let weight = bytes;
      let hasLeft = false;
      const giveBack = () => {
        if (!holds) return;
        holds = false;
        own.requests -= 1;
        own.bytes -= weight;
      };
      return {
        refusal: null,
        lend: giveBack,
        takeBack(read) {
          // Answered at its deadline while the handler goes on, so the slot would never be freed.
          if (hasLeft) return 'in-flight';
          weight = read;
          const reason = take(kind, weight);
          holds = reason === null;
          return reason;
        },
        leave: (tookMs) => {
          hasLeft = true;
          giveBack();
          took.left += 1;
          if (kind !== 'submit') return;
          took.finished += 1;
          if (tookMs === null) return;
          took.totalMs += tookMs;
          took.timed += 1;
        },
      };
    },
    /** Adapts the limits to the measurements since the last call; called at regular intervals. */
    adapt(eventLoopDelayMs: number) {
      // A process without requests is late for another reason, such as its own start: fewer requests would not help.
      const isIdle = took.left + inFlight() === 0;
      // By Little's law, a submission that takes twice its bound has twice as many beside it as there may be.
      const ofTook = headroom(TOOK_MS_MAX, took.timed > 0 ? took.totalMs / took.timed : 0);
      const ofLoop = headroom(EVENT_LOOP_DELAY_MS_MAX, isIdle ? 0 : eventLoopDelayMs);
      // Submissions are under way and none has ended, so their duration is not known yet, and is probably long.
      const isUnknown = took.finished === 0 && shares.submit.requests > 0 && ofLoop >= 1;
      const hasSubmissions = took.finished + shares.submit.requests + shares.stream.requests > 0;
      quietIntervals = hasSubmissions ? 0 : quietIntervals + 1;
      took = createTook();
      if (!isUnknown) {
        adaptShare(shares.submit, Math.min(ofTook, ofLoop), shareMin);
        adaptShare(shares.stream, Math.min(ofTook, ofLoop), shareMin);
      }
      adaptShare(shares.other, ofLoop, shareMin);
    },
    /** Whether there were submissions in one of the last intervals. */
    isSubmitting: () => quietIntervals < QUIET_INTERVALS,
    /** Requests of all kinds that hold a slot. */
    inFlight,
  };
}

/** Requests of all kinds that ended since the last call; of these the submissions, and the durations that measure our load. */
function createTook() {
  return { left: 0, finished: 0, timed: 0, totalMs: 0 };
}

type Share = { requests: number; bytes: number; share: number; sinceCut: number };

function createShare(): Share {
  return { requests: 0, bytes: 0, share: 1, sinceCut: CUT_EVERY };
}

/** The bound divided by the measurement: below 1 it is an overload. */
function headroom(mayMs: number, measuredMs: number): number {
  return measuredMs > 0 ? mayMs / measuredMs : Number.POSITIVE_INFINITY;
}

function adaptShare(own: Share, room: number, shareMin: number): void {
  own.sinceCut += 1;
  if (room >= 1) {
    const step = room >= FAR_FROM_KNEE ? SHARE_STEP.far : SHARE_STEP.near;
    own.share = Math.min(1, own.share + step);
  } else if (own.sinceCut >= CUT_EVERY) {
    const cut = Math.min(SHARE_CUT.least, Math.max(SHARE_CUT.most, room));
    own.share = Math.max(shareMin, own.share * cut);
    own.sinceCut = 0;
  }
}

const ADAPT_EVERY_MS = 100;
const RESOLUTION_MS = 10;
const NS_PER_MS = 1e6;

/** Measures the event loop and adapts the admission until it is disposed. */
export function watchEventLoop({ adapt }: Pick<Admission, 'adapt'>): Disposable {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  histogram.enable();
  const timer = setInterval(() => {
    // The histogram holds the time between two beats; one resolution of that is intended.
    adapt(histogram.count > 0 ? histogram.mean / NS_PER_MS - RESOLUTION_MS : 0);
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
