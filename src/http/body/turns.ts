/**
 * Runs heavy pieces of work one at a time, and lets the event loop handle all sockets between two of them:
 * requests that are admitted together are parsed one after the other, and a refusal waits for one body instead
 * of all.
 */

/** Resolves when it is the caller's turn: at once, unless another caller had a turn a moment ago. */
export type TakeTurn = () => Promise<void>;

/**
 * Turns of the event loop between two pieces of work. Each turn accepts one connection (libuv), so that with
 * one turn a burst of connections would wait for as many pieces of work as it has connections.
 */
const LOOPS_BETWEEN = 16;

/** Bounded by the requests in flight. */
export function createTurns(loopsBetween = LOOPS_BETWEEN): TakeTurn {
  const waiting: (() => void)[] = [];
  let loopsLeft = 0;
  const look = () => {
    loopsLeft -= 1;
    if (loopsLeft > 0) {
      setImmediate(look);
      return;
    }
    const next = waiting.shift();
    if (next === undefined) return;
    give();
    next();
  };
  const give = () => {
    loopsLeft = loopsBetween;
    setImmediate(look);
  };
  return () => {
    if (loopsLeft > 0) return new Promise((resolve) => waiting.push(resolve));
    give();
    return Promise.resolve();
  };
}
