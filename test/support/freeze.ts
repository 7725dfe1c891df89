/** Stops a whole Postgres: its backends go on when only the server's first process is stopped. */
import { readFileSync } from 'node:fs';
import type { TestService } from './services.ts';

/** Frozen until `thaw`, or until it is disposed, so that a failing test leaves nothing stopped. */
export function freeze(postgres: Pick<TestService, 'pid'>): Disposable & { thaw: () => void } {
  const pid = postgres.pid();
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
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
