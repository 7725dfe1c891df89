/**
 * Pauses the worker: while Postgres or Redis fails, held batches try again with growing waits and nothing new
 * is read. The first batch that succeeds ends the pause.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../../kit/metrics/log.ts';
import type { Metrics } from '../../kit/metrics/metrics.ts';
import type { Failure } from '../../kit/words/failure.ts';

export type Pause = {
  /** Resolves when nothing is paused, or the worker stops. */
  readonly over: () => Promise<void>;
  /** Waits before a batch that failed tries again; ends early when the worker stops. */
  readonly hold: (failure: Failure) => Promise<void>;
  /** A batch succeeded. */
  readonly end: () => void;
};

const WAIT_MS_MIN = 50;
const WAIT_MS_MAX = 2000;

export function createPause(
  signal: AbortSignal,
  metrics: Metrics,
  log: Log,
  random: () => number,
): Pause {
  let failures = 0;
  let ended = Promise.withResolvers<void>();
  signal.addEventListener('abort', () => ended.resolve(), { once: true });
  return {
    over: async () => {
      while (failures > 0 && !signal.aborted) await ended.promise;
    },
    async hold(failure) {
      metrics.pauses.inc({ code: failure.code });
      if (failures === 0) log.warn({ code: failure.code, err: failure.message }, 'worker pauses');
      failures += 1;
      const waitMs = Math.min(WAIT_MS_MIN * 2 ** Math.min(failures, 10), WAIT_MS_MAX);
      await sleep(waitMs * (0.5 + random() / 2), undefined, { signal }).catch(() =>
        ended.resolve(),
      );
    },
    end() {
      if (failures === 0) return;
      log.info({ failures }, 'worker goes on');
      failures = 0;
      ended.resolve();
      ended = Promise.withResolvers<void>();
    },
  };
}
