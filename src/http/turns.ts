/**
 * Heavy pieces of work one at a time, with a look at all sockets between two of them: requests that are let
 * in together are parsed one after the other, and refusals wait for one body and not for all.
 */

/** Resolves when it is the caller's turn: at once, unless one was given a moment ago. */
export type TakeTurn = () => Promise<void>;

/**
 * Turns of the event loop between two pieces of work. Each accepts one connection (libuv), so that a crowd
 * that comes at once would wait for as many pieces of work as it has heads.
 */
const LOOPS_BETWEEN = 16;

/** Those who wait are as many as requests in flight. */
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
