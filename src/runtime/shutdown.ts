/**
 * Signals become one AbortSignal. The first SIGINT or SIGTERM aborts it (drain), the second ends the
 * process at once, and so does the deadline: a drain that hangs must not outlive the supervisor's
 * patience, which ends in kill -9 with nothing said.
 */
import { constants } from 'node:os';

export type ShutdownOptions = {
  /** From the first signal to a forced exit. */
  readonly timeoutMs: number;
  readonly onForced: (reason: 'second signal' | 'deadline') => void;
};

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

export type Shutdown = { readonly signal: AbortSignal; [Symbol.dispose](): void };

/** Watches the process's signals until disposed. */
export function watchShutdown({ timeoutMs, onForced }: ShutdownOptions): Shutdown {
  const controller = new AbortController();
  let deadline: NodeJS.Timeout | undefined;
  const receive = (name: NodeJS.Signals) => {
    if (controller.signal.aborted) {
      onForced('second signal');
      process.exit(128 + constants.signals[name]);
    }
    deadline = setTimeout(() => {
      onForced('deadline');
      process.exit(1);
    }, timeoutMs);
    // The deadline alone must not keep a finished process alive.
    deadline.unref();
    controller.abort(new Error(`received ${name}`));
  };
  for (const name of SIGNALS) process.on(name, receive);
  return {
    signal: controller.signal,
    [Symbol.dispose]: () => {
      clearTimeout(deadline);
      for (const name of SIGNALS) process.off(name, receive);
    },
  };
}
