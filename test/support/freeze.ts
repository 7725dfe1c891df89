/** Stops a whole service: backends of Postgres go on when only the server's first process is stopped. */
import { readFileSync } from 'node:fs';
import type { ServiceControl } from './service-control.ts';

/** Frozen until `thaw`, or until it is disposed, so that a failing test leaves nothing stopped. */
export function freeze(service: Pick<ServiceControl, 'pid'>): Disposable & { thaw: () => void } {
  const pid = service.pid();
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').match(/\d+/g) ?? [];
  const signalAll = (signal: NodeJS.Signals) => {
    for (const one of [pid, ...children.map(Number)]) {
      try {
        process.kill(one, signal);
      } catch {
        // The backend has ended since.
      }
    }
  };
  signalAll('SIGSTOP');
  const thaw = () => signalAll('SIGCONT');
  return { thaw, [Symbol.dispose]: thaw };
}
