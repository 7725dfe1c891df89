/**
 * Keeps a breaker's view of its dependency fresh without anybody's traffic: tries it while calls fail or
 * the breaker is not closed, so that an outage is known and over within a second or two; and when calls
 * hang and the dependency does not answer a try either, trips the breaker, so that nobody waits on.
 */
import type { Breaker } from './breaker.ts';
import { answerWithin } from './settles-within.ts';

const EVERY_MS = 250;
/** Calls under way for this long, none of which ends, are a reason to look. */
const STALL_MS = 500;
/**
 * With the two above: who waits for a dependency that hangs is answered within two seconds. Long enough
 * for one that is five round trips of 200 ms away: slow is not gone.
 */
const CHECK_MS_MAX = 1000;

/** @param check one call that a dependency in order answers, in time; throws what the breaker counts */
export function watchBreaker(
  breaker: Breaker,
  check: () => Promise<unknown>,
): { [Symbol.dispose]: () => void } {
  let isBusy = false;
  const look = async () => {
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
    await look();
    isBusy = false;
  }, EVERY_MS);
  timer.unref();
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
