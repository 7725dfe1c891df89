/**
 * Pauses the worker: while Postgres or Redis fails, batches try again with growing waits and nothing new is read. The first
 * batch that succeeds ends the pause.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../../kit/metrics/log.ts';
import type { Metrics } from '../../kit/metrics/metrics.ts';
import type { Failure } from '../../kit/words/failure.ts';

const WAIT_MS_MIN = 50;
const WAIT_MS_MAX = 2000;

export type Pause = ReturnType<typeof createPause>;

type PauseOptions = {
  readonly metrics: Pick<Metrics, 'pauses'>;
  readonly log: Log;
  readonly random: () => number;
};

export function createPause(signal: AbortSignal, { metrics, log, random }: PauseOptions) {
  let failures = 0;
  let ended = Promise.withResolvers<void>();
  signal.addEventListener('abort', () => ended.resolve(), { once: true });
  return {
    /** Resolves when nothing is paused, or the worker stops. */
    async over(): Promise<void> {
      while (failures > 0 && !signal.aborted) await ended.promise;
    },
    /** Waits before a batch that failed tries again; ends early when the worker stops. */
    async begin(failure: Failure): Promise<void> {
      metrics.pauses.inc({ code: failure.code });
      if (failures === 0) log.warn({ code: failure.code, err: failure.message }, 'worker pauses');
      failures += 1;
      const waitMs = Math.min(WAIT_MS_MIN * 2 ** Math.min(failures, 10), WAIT_MS_MAX);
      await sleep(waitMs * (0.5 + random() / 2), undefined, { signal }).catch(() =>
        ended.resolve(),
      );
    },
    /** A batch succeeded. */
    end(): void {
      if (failures === 0) return;
      log.info({ failures }, 'worker goes on');
      failures = 0;
      ended.resolve();
      ended = Promise.withResolvers<void>();
    },
  };
}
