/**
 * Bounds request bodies that are still arriving, by count and by bytes received. They hold no slot of the
 * admission, so clients that send a byte at a time keep nobody out. When there is no room, the body that has
 * been arriving for the longest gives way, as a sender of usual speed is done soon.
 */

type ArrivalLimits = {
  readonly bodiesMax: number;
  /** Bytes received of incomplete bodies. */
  readonly bytesMax: number;
  /** A body younger than this never gives way. */
  readonly slowMs: number;
};

export type Arrival = {
  /** Counts bytes received; false when there is no room for them and no body gives way. */
  readonly add: (bytes: number) => boolean;
  /** Rejects when this body has to give way; never resolves. */
  readonly gaveWay: Promise<never>;
  readonly end: () => void;
};

export type Arrivals = {
  /** Undefined when there is no room and no body gives way. */
  readonly begin: () => Arrival | undefined;
};

type Body = { bytes: number; readonly sinceMs: number; readonly giveWay: () => void };

/** @param nowMs monotonic clock */
export function createArrivals(
  { bodiesMax, bytesMax, slowMs }: ArrivalLimits,
  nowMs: () => number,
  toReason: () => Error,
): Arrivals {
  /** Bodies in the order in which they began. */
  const bodies = new Set<Body>();
  let bytes = 0;
  const remove = (body: Body) => {
    if (bodies.delete(body)) bytes -= body.bytes;
  };
  /** Ends the oldest body; false when none is slow enough. */
  const makeRoom = (): boolean => {
    const [oldest] = bodies;
    if (oldest === undefined || nowMs() - oldest.sinceMs < slowMs) return false;
    remove(oldest);
    oldest.giveWay();
    return true;
  };
  return {
    begin() {
      if (bodies.size >= bodiesMax && !makeRoom()) return undefined;
      const { promise: gaveWay, reject } = Promise.withResolvers<never>();
      gaveWay.catch(() => undefined);
      const body: Body = { bytes: 0, sinceMs: nowMs(), giveWay: () => reject(toReason()) };
      bodies.add(body);
      return {
        gaveWay,
        add(more) {
          while (bytes + more > bytesMax) if (!makeRoom()) return false;
          if (!bodies.has(body)) return false;
          body.bytes += more;
          bytes += more;
          return true;
        },
        end: () => remove(body),
      };
    },
  };
}
