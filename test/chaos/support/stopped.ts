/** Whether a process has been stopped by a signal. */
import { readFileSync } from 'node:fs';

/** State T of /proc. */
export function isStopped(pid: number): boolean {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  return stat.slice(stat.lastIndexOf(')') + 2).startsWith('T');
}
