/** Disturbances: changes that people make beside the faults of a scenario, by requests that may be refused or get lost. */
import { setTimeout as delay } from 'node:timers/promises';
import { createRandom, integerBetween, type Random } from '../../../src/kit/random.ts';
import type { Setup, Stage } from './scenario.ts';
import type { ChaosServices } from './services.ts';

const ANSWER_MS_MAX = 5000;

/** Changes beside the faults of a scenario, chosen by an option of the command line. */
export type Disturbance = {
  /** Name of the steps that are counted: `stops of a corridor`. */
  readonly counted: string;
  /** Clients of a scenario's own do not know it: their refusals count against what they measure. */
  readonly isForSteadyLoad: boolean;
  /** Settings of the engine. @param folder of the scenario */
  readonly settings?: (folder: string) => Readonly<Record<string, string>>;
  /** Before the engine starts. */
  readonly prepare?: (services: ChaosServices) => Promise<void>;
  readonly start: (stage: Stage, random: Random) => Repeated;
  /** Bars, once everything has come to rest. */
  readonly judge?: (stage: Stage) => Promise<void>;
};

export type Repeated = {
  /** Resolves to the number of steps that had an effect, once the last one has ended. */
  readonly end: () => Promise<number>;
};
export const disturbancesOf = (asked: readonly Disturbance[], { ownTraffic }: Setup) =>
  asked.filter(({ isForSteadyLoad }) => !(isForSteadyLoad && ownTraffic));

/** @returns what ends all of them and remarks how many steps had an effect */
export function startDisturbances(disturbances: readonly Disturbance[], stage: Stage) {
  const started = disturbances.map(({ counted, start }) => {
    return { counted, steps: start(stage, createRandom(`${stage.seed}/${counted}`)) };
  });
  return async (): Promise<void> => {
    for (const { counted, steps } of started) stage.remark(`${counted}: ${await steps.end()}`);
  };
}

type Step = {
  /** Ends early where the scenario does. */
  readonly pause: (bounds: readonly [number, number]) => Promise<unknown>;
  readonly isOver: () => boolean;
};

/** @param step is repeated; true where it had an effect */
export function repeatSteps(
  stage: Stage,
  random: Random,
  step: (parts: Step) => Promise<boolean>,
): Repeated {
  const ending = new AbortController();
  const signal = AbortSignal.any([ending.signal, stage.signal]);
  const pause: Step['pause'] = (bounds) =>
    delay(integerBetween(random, ...bounds), undefined, { signal }).catch(() => undefined);
  let effects = 0;
  const repeating = (async () => {
    while (!signal.aborted) if (await step({ pause, isOver: () => signal.aborted })) effects++;
  })();
  // `end` reports it; until then a failure must not end the process.
  repeating.catch(() => undefined);
  return {
    end: async () => {
      ending.abort();
      await repeating;
      return effects;
    },
  };
}

/** The body of an API's answer; undefined where it was refused or no answer came. */
export async function askAnyApi(
  { engine }: Stage,
  method: string,
  path: string,
  body?: object,
): Promise<Record<string, unknown> | undefined> {
  for (const url of engine.apiUrls) {
    try {
      const response = await fetch(`${url}${path}`, {
        method,
        headers: { authorization: `Bearer ${engine.apiKey}`, 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(ANSWER_MS_MAX),
      });
      const answer = (await response.json()) as Record<string, unknown>;
      if (response.ok) return answer;
    } catch {}
  }
  return undefined;
}
