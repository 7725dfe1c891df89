/** Stops a corridor and starts it again beside the faults of a scenario (`--flips`), and leaves it started. */
import { setTimeout as delay } from 'node:timers/promises';
import { integerBetween, type Random } from '../../../src/kit/random.ts';
import type { Stage } from './scenario.ts';

/** A batch names several corridors, so the market refuses nearly every batch meanwhile. */
export const FLIPPED_CORRIDOR = 'US-EG';
/** Longer stops: the traffic of a scenario takes too long. Shorter ones end before a worker meets them. */
const STOPPED_MS = [100, 700] as const;
const OPEN_MS = [500, 1500] as const;
const AGAIN_MS = 100;
const ANSWER_MS_MAX = 5000;

export type Flips = {
  /** Resolves to the number of stops that were answered, once the corridor is started. */
  readonly end: () => Promise<number>;
};

export function startFlips(stage: Stage, random: Random): Flips {
  const ending = new AbortController();
  const signal = AbortSignal.any([ending.signal, stage.signal]);
  const pause = (bounds: readonly [number, number]) =>
    delay(integerBetween(random, ...bounds), undefined, { signal }).catch(() => undefined);
  let stops = 0;
  const flipping = (async () => {
    while (!signal.aborted) {
      await pause(OPEN_MS);
      if (!signal.aborted && (await change(stage, true))) stops++;
      await pause(STOPPED_MS);
      await startAgain(stage);
    }
  })();
  // `end` reports it; until then a failure must not end the process.
  flipping.catch(() => undefined);
  return {
    end: async () => {
      ending.abort();
      await flipping;
      return stops;
    },
  };
}

/** A change whose answer was lost may hold, so the start is repeated until one is answered. */
async function startAgain(stage: Stage): Promise<void> {
  while (!(await change(stage, false))) {
    stage.signal.throwIfAborted();
    await delay(AGAIN_MS);
  }
}

/** False where it was refused or no answer came. */
async function change({ engine }: Stage, stopped: boolean): Promise<boolean> {
  for (const url of engine.apiUrls) {
    const response = await fetch(`${url}/v1/switches/corridor:${FLIPPED_CORRIDOR}`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${engine.apiKey}`, 'content-type': 'application/json' },
      body: JSON.stringify({ stopped, reason: 'a proof' }),
      signal: AbortSignal.timeout(ANSWER_MS_MAX),
    }).catch(() => undefined);
    await response?.body?.cancel();
    if (response?.ok === true) return true;
  }
  return false;
}
