/**
 * Turns signals into an AbortSignal; the end of a parent with a channel counts as SIGTERM. The first SIGTERM or SIGINT asks for a drain,
 * the second exits at once, and a drain that takes longer than `timeoutMs` is ended by force with exit code 1.
 */
import type { Log } from '../kit/metrics/log.ts';

const EXIT_FORCED = 1;

export function onShutdown(log: Log, timeoutMs: number): AbortSignal {
  const controller = new AbortController();
  const receive = (name: NodeJS.Signals | 'disconnect') => {
    if (controller.signal.aborted) {
      log.warn({ signal: name }, 'second signal: exit now');
      process.exit(EXIT_FORCED);
    }
    log.info({ signal: name, timeoutMs }, 'draining');
    controller.abort();
    setTimeout(() => {
      log.error({ timeoutMs, open: process.getActiveResourcesInfo() }, 'drain took too long');
      process.exit(EXIT_FORCED);
    }, timeoutMs).unref();
  };
  process.on('SIGTERM', receive);
  process.on('SIGINT', receive);
  const leave = () => {
    if (!controller.signal.aborted) receive('disconnect');
  };
  process.once('disconnect', leave);
  // The other process may have ended while this one started.
  if (process.connected === false) leave();
  // A listener would keep a command that has finished alive.
  process.channel?.unref();
  return controller.signal;
}
