/**
 * Runs heavy pieces of work one at a time, and lets the event loop handle all sockets between two of them:
 * requests that are admitted together are parsed one after the other, and a refusal waits for one body instead
 * of all.
 */

/** Resolves when it is the caller's turn: at once, unless another caller had a turn a moment ago. */
export type WaitForCpu = () => Promise<void>;

/**
 * Turns of the event loop between two pieces of work. Each turn accepts one connection (libuv), so that with
 * one turn a burst of connections would wait for as many pieces of work as it has connections.
 */
const LOOPS_BETWEEN = 16;

/** Bounded by the requests in flight. */
export function createCpuQueue(loopsBetween = LOOPS_BETWEEN): WaitForCpu {
  const waiting: (() => void)[] = [];
  let loopsLeft = 0;
  const countLoop = () => {
    loopsLeft -= 1;
    if (loopsLeft > 0) {
      setImmediate(countLoop);
      return;
    }
    const next = waiting.shift();
    if (next === undefined) return;
    give();
    next();
  };
  const give = () => {
    loopsLeft = loopsBetween;
    setImmediate(countLoop);
  };
  return () => {
    if (loopsLeft > 0) return new Promise((resolve) => waiting.push(resolve));
    give();
    return Promise.resolve();
  };
}
