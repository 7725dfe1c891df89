/** Processor time of other processes, where Linux tells it. */
import { readdirSync, readFileSync } from 'node:fs';

/** sysconf(_SC_CLK_TCK) of every Linux on which Node runs. */
const TICKS_PER_SECOND = 100;
/** Fields behind the name: the parent; time in user mode and in the kernel, then that of children that were waited for. */
const PARENT = 1;
const OWN = [11, 12];
const WITH_CHILDREN = [...OWN, 13, 14];

type Stat = { readonly name: string; readonly fields: readonly string[] };

function readStat(pid: number): Stat | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name stands in parentheses and may hold spaces, so fields are counted from behind it.
    const end = text.lastIndexOf(')');
    return { name: text.slice(text.indexOf('(') + 1, end), fields: text.slice(end + 2).split(' ') };
  } catch {
    return undefined;
  }
}

const secondsOf = ({ fields }: Stat, columns: readonly number[]) =>
  columns.reduce((sum, column) => sum + Number(fields[column]), 0) / TICKS_PER_SECOND;

/** Seconds of processor time so far; undefined where the process has ended, and on other systems than Linux. */
export function processorSeconds(pid: number): number | undefined {
  const stat = readStat(pid);
  return stat && secondsOf(stat, OWN);
}

/**
 * Seconds of a server and all its children so far, found by one of the children; undefined where the child is no process of
 * that name here.
 */
export function serverSeconds(childPid: number, name: string): number | undefined {
  const child = readStat(childPid);
  if (child?.name !== name) return undefined;
  const server = Number(child.fields[PARENT]);
  return readdirSync('/proc')
    .map(Number)
    .flatMap((pid) => (Number.isInteger(pid) ? [[pid, readStat(pid)] as const] : []))
    .filter(([pid, stat]) => pid === server || Number(stat?.fields[PARENT]) === server)
    .reduce((sum, [, stat]) => sum + (stat === undefined ? 0 : secondsOf(stat, WITH_CHILDREN)), 0);
}
