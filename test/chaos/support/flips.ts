/** Stops a corridor and starts it again beside the faults of a scenario (`--flips`), and leaves it started. */
import { setTimeout as delay } from 'node:timers/promises';
import { askAnyApi, type Disturbance, repeatSteps } from './disturbance.ts';
import type { Stage } from './scenario.ts';

/** A batch names several corridors, so the market refuses nearly every batch meanwhile. */
export const FLIPPED_CORRIDOR = 'US-EG';
/** Longer stops: the traffic of a scenario takes too long. Shorter ones end before a worker meets them. */
const STOPPED_MS = [100, 700] as const;
const OPEN_MS = [500, 1500] as const;
const AGAIN_MS = 100;

export const flips: Disturbance = {
  ...{ counted: 'stops of a corridor', isForSteadyLoad: true },
  start: (stage, random) =>
    repeatSteps(stage, random, async ({ pause, isOver }) => {
      await pause(OPEN_MS);
      const isStopped = !isOver() && (await change(stage, true));
      await pause(STOPPED_MS);
      await startAgain(stage);
      return isStopped;
    }),
};

/** A change whose answer was lost may hold, so the start is repeated until one is answered. */
async function startAgain(stage: Stage): Promise<void> {
  while (!(await change(stage, false))) {
    stage.signal.throwIfAborted();
    await delay(AGAIN_MS);
  }
}

/** False where it was refused or no answer came. */
async function change(stage: Stage, stopped: boolean): Promise<boolean> {
  const path = `/v1/switches/corridor:${FLIPPED_CORRIDOR}`;
  return (await askAnyApi(stage, 'PUT', path, { stopped, reason: 'a proof' })) !== undefined;
}
