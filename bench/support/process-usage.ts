/**
 * The resource usage of processes, from Linux' /proc: CPU seconds and page faults (with children that have ended
 * and been waited for, so that closed database sessions count) and peak resident memory.
 */
import { readdirSync, readFileSync } from 'node:fs';

/** sysconf(_SC_CLK_TCK) of every Linux on which Node runs. */
const TICKS_PER_SECOND = 100;

type Stat = { readonly parent: number; readonly cpuSeconds: number; readonly minorFaults: number };

/** Undefined when the process has ended. */
function readStat(pid: number): Stat | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name stands in parentheses and may hold spaces, so fields are counted from behind it.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const sumOf = (...indices: number[]) =>
      indices.reduce((sum, index) => sum + Number(fields[index]), 0);
    return {
      parent: Number(fields[1]),
      cpuSeconds: sumOf(11, 12, 13, 14) / TICKS_PER_SECOND,
      minorFaults: sumOf(7, 8),
    };
  } catch {
    return undefined;
  }
}

type MachineCpu = { readonly all: number; readonly idle: number; readonly stolen: number };

/** Share of its processors that the host gave to others between two moments. */
export function stolenShare(before: MachineCpu, after: MachineCpu): number {
  return (after.stolen - before.stolen) / (after.all - before.all);
}

/** CPU seconds since the machine's start: busy, idle and stolen ones of all processors together. */
export function machineCpuSeconds(): MachineCpu {
  const [line = ''] = readFileSync('/proc/stat', 'latin1').split('\n');
  // user, nice, system, idle, iowait, irq, softirq, steal; guests are in user already.
  const ticks = line.trim().split(/\s+/).slice(1, 9).map(Number);
  const sum = ticks.reduce((total, value) => total + value, 0);
  return {
    all: sum / TICKS_PER_SECOND,
    idle: ((ticks[3] ?? 0) + (ticks[4] ?? 0)) / TICKS_PER_SECOND,
    stolen: (ticks[7] ?? 0) / TICKS_PER_SECOND,
  };
}

export function parentOf(pid: number): number | undefined {
  return readStat(pid)?.parent;
}

/** CPU seconds of a process and all that descend from it. */
export function treeCpuSeconds(root: number): number {
  return treeSum(root, 'cpuSeconds');
}

/** Page faults that took no disk, of a process and all that descend from it. */
export function treeMinorFaults(root: number): number {
  return treeSum(root, 'minorFaults');
}

function treeSum(root: number, field: 'cpuSeconds' | 'minorFaults'): number {
  const stats = new Map<number, Stat>();
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    const stat = Number.isInteger(pid) ? readStat(pid) : undefined;
    if (stat !== undefined) stats.set(pid, stat);
  }
  let sum = 0;
  for (const [pid, stat] of stats) if (descends(pid, root, stats)) sum += stat[field];
  return sum;
}

function descends(pid: number, root: number, stats: ReadonlyMap<number, Stat>): boolean {
  for (let at: number | undefined = pid; at !== undefined && at > 1; at = stats.get(at)?.parent) {
    if (at === root) return true;
  }
  return false;
}

/** Largest resident set a process ever had (VmHWM), bytes; 0 when it has ended. */
export function peakRssBytes(pid: number): number {
  return statusBytes(pid, 'VmHWM');
}

/**
 * Largest memory of its own that a process ever had, nearly: without the pages of program files, which processes share and a
 * container with a limit gives back. With half a core and a limit of 256 MiB a worker of 285 MiB was charged 236.
 */
export function peakOwnBytes(pid: number): number {
  return Math.max(0, peakRssBytes(pid) - statusBytes(pid, 'RssFile'));
}

/** Resident set of a process now, bytes; 0 when it has ended. */
export function rssBytes(pid: number): number {
  return statusBytes(pid, 'VmRSS');
}

function statusBytes(pid: number, field: 'VmHWM' | 'VmRSS' | 'RssFile'): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'latin1');
    const kibibytes = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1];
    return Number(kibibytes ?? 0) * 1024;
  } catch {
    return 0;
  }
}
