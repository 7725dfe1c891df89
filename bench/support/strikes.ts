/** Faults beside a long load, one after the other at a rhythm, each with the time until nothing of it was left to do. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Engine } from '../../test/chaos/support/engine.ts';
import type { ChaosServices } from '../../test/chaos/support/services.ts';

export type Window = { readonly fromMs: number; readonly toMs: number };
export type Strike = Window & { readonly fault: string };
type Struck = { readonly engine: Engine; readonly services: ChaosServices };

/** An operator, or a platform, needs so long to notice. */
const AWAY_MS = 1000;
/** In the order of a cycle. `worker-2` lives through all of them. */
const FAULTS: Readonly<Record<string, (struck: Struck) => Promise<unknown>>> = {
  'worker killed': async ({ engine }) => {
    await engine.kill('worker-1');
    await delay(AWAY_MS);
    await engine.start('worker', 'worker-1');
  },
  'redis killed and emptied': async ({ services: { redis } }) => {
    await redis.end('SIGKILL');
    await delay(AWAY_MS);
    await redis.startEmpty();
  },
  'api killed': async ({ engine }) => {
    await engine.kill('api-1');
    await delay(AWAY_MS);
    await engine.start('api', 'api-1');
  },
  'postgres restarted': async ({ services: { postgres } }) => {
    await postgres.end('SIGINT');
    await delay(AWAY_MS);
    await postgres.start();
  },
};
export const FAULT_NAMES: readonly string[] = Object.keys(FAULTS);

const POLL_MS = 250;
/** Waiting transactions of the load itself, as a time. */
const CALM_SECONDS = 1;
/** Profiles and caches fill again, and clients that were refused send again. */
const SETTLING_MS = 5000;
/** A fault that has not healed by then has a window without an end. */
const HEALED_MS_MAX = 120_000;

type Options = Struck & {
  readonly everyMs: number;
  /** Transactions a second. */
  readonly rate: number;
  readonly backlog: () => Promise<number>;
  readonly onStrike: (fault: string) => void;
  readonly signal: AbortSignal;
};

/** @returns all strikes, once the last one has healed; the fault that is under way at the end is waited for */
export function startStrikes({ everyMs, rate, backlog, onStrike, signal, ...struck }: Options) {
  const over = new AbortController();
  const ending = AbortSignal.any([signal, over.signal]);
  const strikes: Strike[] = [];
  const strike = async () => {
    for (let nth = 0; ; nth++) {
      await delay(everyMs, undefined, { signal: ending }).catch(() => undefined);
      if (ending.aborted) return;
      const fault = FAULT_NAMES[nth % FAULT_NAMES.length] ?? '';
      onStrike(fault);
      const fromMs = Date.now();
      await FAULTS[fault]?.(struck);
      while ((await backlog()) > rate * CALM_SECONDS && Date.now() - fromMs < HEALED_MS_MAX) {
        await delay(POLL_MS, undefined, { signal });
      }
      strikes.push({ fault, fromMs, toMs: Date.now() + SETTLING_MS });
    }
  };
  const striking = strike();
  // A failure is thrown where it is ended.
  striking.catch(() => undefined);
  return {
    end: async (): Promise<readonly Strike[]> => {
      over.abort();
      await striking;
      return strikes;
    },
  };
}

/** Parts of a time that are outside of all windows. */
export function outside(time: Window, windows: readonly Window[]): Window[] {
  let left = [time];
  for (const { fromMs, toMs } of windows) {
    left = left.flatMap((one) => [
      { fromMs: one.fromMs, toMs: Math.min(one.toMs, fromMs) },
      { fromMs: Math.max(one.fromMs, toMs), toMs: one.toMs },
    ]);
    left = left.filter((one) => one.fromMs < one.toMs);
  }
  return left;
}
