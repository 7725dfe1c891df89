/** Waits for a replica to have the write of a consistency token, so that a read after it may be answered there. */
import { setTimeout as delay } from 'node:timers/promises';
import { answerWithin } from '../../process/settles-within.ts';
import type { ConsistencyToken } from '../../words/consistency-token.ts';
import { isUnavailable } from '../../words/failure.ts';
import type { Database } from '../pool.ts';
import { hasWrite } from './replica-position.ts';

/** How long a read waits before it goes to the primary. A replica in step has a write after a few milliseconds. */
export const REPLAY_WAIT_MS_MAX = 100;
/** Pause after the first question; each is twice the one before, so that a wait asks five times. */
const REPLAY_PAUSE_MS = 4;

/** Facts that a check proved of a replica. */
export type Proof = {
  /** System identifier of its database cluster. */
  readonly system: string;
  /** Every database transaction with a smaller number has ended there. */
  readonly endedBound: bigint;
};

/**
 * False where the wait is over, or the token is of another database cluster.
 * @param proof undefined while the replica must not be read
 */
export async function awaitWrite(
  replica: Pick<Database, 'query'>,
  proof: () => Proof | undefined,
  { system, xid, isBound }: ConsistencyToken,
): Promise<boolean> {
  const endMs = performance.now() + REPLAY_WAIT_MS_MAX;
  for (let pauseMs = REPLAY_PAUSE_MS; ; pauseMs *= 2) {
    const proven = proof();
    if (proven?.system !== system) return false;
    if (BigInt(xid) < proven.endedBound) return true;
    try {
      const asked = hasWrite(replica, { xid, isBound });
      if (await answerWithin(asked, endMs - performance.now())) return true;
    } catch (error) {
      if (isUnavailable(error)) return false;
      throw error;
    }
    if (performance.now() + pauseMs > endMs) return false;
    await delay(pauseMs);
  }
}
