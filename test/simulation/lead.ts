/** A duty that one process does at a time, and whose writes prove that it still is the one (src/kit/duties/leadership.ts). */
import { Failure } from '../../src/kit/words/failure.ts';
import type { Process } from './process.ts';
import type { World } from './world.ts';

/** A leader that died or is suspended is replaced after this time. */
const LEASE_MS = 1000;

/** Makes an effect fail once another process leads. */
export type Guarded = (effect: () => void) => () => void;

/** Runs `work` unless another process leads. */
export function createLead(
  { leaders, clock }: World,
  process: Process,
  duty: keyof World['leaders'],
): (work: (guarded: Guarded) => Promise<void>) => Promise<void> {
  const leader = leaders[duty];
  return async (work) => {
    const nowMs = clock.nowMs();
    if (leader.owner !== process && nowMs < leader.untilMs) return;
    if (leader.owner !== process) leader.epoch += 1;
    leader.owner = process;
    leader.untilMs = nowMs + LEASE_MS;
    const { epoch } = leader;
    await work((effect) => () => {
      if (leader.epoch === epoch) effect();
      else throw new Failure('transient', 'LEADERSHIP_LOST', 'another process leads');
    });
  };
}
