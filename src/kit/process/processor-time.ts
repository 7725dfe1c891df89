/** Processor time of another process, where Linux tells it. */
import { readFileSync } from 'node:fs';

/** sysconf(_SC_CLK_TCK) of every Linux on which Node runs. */
const TICKS_PER_SECOND = 100;
/** Fields behind the name: time in user mode and in the kernel. */
const [USER, SYSTEM] = [11, 12];

/** Seconds of processor time so far; undefined where the process has ended, and on other systems than Linux. */
export function processorSeconds(pid: number): number | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name stands in parentheses and may hold spaces, so fields are counted from behind it.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[USER]) + Number(fields[SYSTEM])) / TICKS_PER_SECOND;
  } catch {
    return undefined;
  }
}
