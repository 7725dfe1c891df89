/** Processes that a signal has stopped. */
import { readFileSync } from 'node:fs';
import type { Stage } from './scenario.ts';

/** Continues a stopped process of the engine, and returns once the process answers. */
export async function goOn({ engine, until }: Stage, name: string, pid: number): Promise<void> {
  process.kill(pid, 'SIGCONT');
  await until(`${name} answers again`, async () => {
    const answer = await fetch(`${engine.process(name).url}/readyz`).catch(() => null);
    return answer?.ok === true;
  });
}

/** State T of /proc. */
export function isStopped(pid: number): boolean {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  return stat.slice(stat.lastIndexOf(')') + 2).startsWith('T');
}
