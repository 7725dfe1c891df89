/**
 * Keeps a breaker's state current without traffic: probes the dependency while calls fail or the breaker is not
 * closed, so that an outage is noticed, and its end, within a second or two. When calls hang and the probe does
 * not answer either, it trips the breaker, so that no caller waits on.
 */
import { answerWithin } from '../process/settles-within.ts';
import type { Breaker } from './breaker.ts';

const EVERY_MS = 250;
/**
 * The dependency is probed when calls are under way for this long and none ends. A longer time leaves a busy process too
 * little of the two seconds below; a shorter one probes a server that only has long statements more often.
 */
const STALL_MS = 250;
/**
 * A caller of a hanging dependency is promised an answer within two seconds. Both bounds above, one tick and this one take
 * 1.5 s, and a process at a load of 6 on two cores took 0.32 s more. Long enough for a server at five round trips of 200 ms:
 * slow is not gone.
 */
const CHECK_MS_MAX = 1000;

/** @param check one call that a healthy dependency answers in time; throws what the breaker counts */
export function watchBreaker(
  breaker: Breaker,
  check: () => Promise<unknown>,
): { [Symbol.dispose]: () => void } {
  let isBusy = false;
  const probe = async () => {
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
    await probe();
    isBusy = false;
  }, EVERY_MS);
  timer.unref();
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
