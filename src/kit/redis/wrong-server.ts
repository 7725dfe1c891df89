/** Leaves a server that says that it is not the one to ask: the name in the URL may lead to another one while sockets stay open. */

/** Answers of a server that is not the primary any more, or not yet. */
const WRONG_SERVER = /^(READONLY|MASTERDOWN|LOADING|NOREPLICAS) /;
/** Longer: work waits longer for the new primary. Shorter: clients of a server that stays as it is connect to it more often. */
const LEAVE_EVERY_MS = 1000;

/**
 * Makes the judge of one client's errors: true where its connection is to be replaced. A client of a cluster needs none, as it asks
 * the nodes where a slot is.
 * @param nowMs monotonic clock
 */
export function createLeave(nowMs = () => performance.now()): (error: Error) => boolean {
  let leftMs = Number.NEGATIVE_INFINITY;
  return ({ message }) => {
    if (!WRONG_SERVER.test(message) || nowMs() - leftMs < LEAVE_EVERY_MS) return false;
    leftMs = nowMs();
    return true;
  };
}
