/**
 * Caps processes as containers are capped: Linux' control groups, version 1 or 2, one group a process. A process is in its group from
 * its first instruction on, so that all of its memory counts. Groups lie below those of this process, which keep capping them.
 */
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Failure, toError } from '../../src/kit/words/failure.ts';
import type { BenchTable } from './bench.ts';

export type Cap = { readonly cores: number; readonly mebibytes?: number };

/** Code of the Failure that says what the machine lacks: exit code 78. */
export const CANNOT_CAP = 'CANNOT_CAP';

type Controller = 'cpu' | 'memory';
/** Where groups of a controller can be made. */
export type Place = { readonly version: 1 | 2; readonly folder: string };
export type Places = Readonly<Record<Controller, Place>>;

const PERIOD_US = 100_000;
const MEBIBYTE = 2 ** 20;
const REMOVAL_TIMEOUT_MS = 5000;
const REMOVAL_POLL_MS = 50;

export type Cgroups = {
  /** Program and arguments that enter a new group and become the program that follows them. */
  readonly make: (name: string, cap: Cap) => readonly string[];
  /** How far each group used its cap. */
  readonly table: () => BenchTable;
  /** Removes the groups, whose processes must have ended. */
  [Symbol.asyncDispose](): Promise<void>;
};

/** Throws Failure `CANNOT_CAP` where the machine lacks what a cap takes. */
export async function openCgroups(): Promise<Cgroups> {
  const places = findPlaces(
    readFileSync('/proc/self/mounts', 'utf8'),
    readFileSync('/proc/self/cgroup', 'utf8'),
    readIfThere,
  );
  const run = randomUUID().slice(0, 8);
  const groups: Group[] = [];
  const make = (name: string, cap: Cap) => {
    const folder = `risk-bench-${run}-${name}`;
    const folders = {
      cpu: join(places.cpu.folder, folder),
      memory: join(places.memory.folder, folder),
    };
    const group = { name, cap, places, folders };
    groups.push(group);
    makeGroup(group);
    return ['/bin/sh', '-c', ENTER, 'enter', ...foldersOf(group), '--'];
  };
  const removeAll = async () => {
    for (const group of groups.splice(0)) {
      for (const folder of foldersOf(group)) await remove(folder);
    }
  };
  // A machine that cannot cap says so before anything is started.
  try {
    make('trial', { cores: 1, mebibytes: 256 });
  } finally {
    await removeAll();
  }
  return {
    make,
    table: () => ({ title: 'capped', rows: groups.map(usageOf) }),
    [Symbol.asyncDispose]: removeAll,
  };
}

/** Writes its own number into the groups, and becomes the program. */
const ENTER = `while [ "$1" != -- ]; do echo $$ >"$1/cgroup.procs" || exit 78; shift; done; shift; exec "$@"`;

type Group = {
  readonly name: string;
  readonly cap: Cap;
  readonly places: Places;
  /** The same folder twice in version 2. */
  readonly folders: Readonly<Record<Controller, string>>;
};

function foldersOf({ folders }: Group): Set<string> {
  return new Set(Object.values(folders));
}

/**
 * @param mounts as /proc/self/mounts
 * @param own as /proc/self/cgroup
 * @param read the contents of a file; undefined where there is none
 */
export function findPlaces(
  mounts: string,
  own: string,
  read: (path: string) => string | undefined,
): Places {
  const need = (controller: Controller) => {
    const place = findPlace(controller, mounts, own, read);
    if (place !== undefined) return place;
    throw cannotCap(`no control group of version 1 or 2 has the controller '${controller}' here`);
  };
  return { cpu: need('cpu'), memory: need('memory') };
}

function findPlace(
  controller: Controller,
  mounts: string,
  own: string,
  read: (path: string) => string | undefined,
): Place | undefined {
  for (const line of mounts.split('\n')) {
    const [, mount = '', type, options = ''] = line.split(' ');
    if (type === 'cgroup' && options.split(',').includes(controller)) {
      const folder = join(mount, pathOf(own, controller));
      // In a container the mount may be the own group already.
      const isThere = read(join(folder, 'cgroup.procs')) !== undefined;
      return { version: 1, folder: isThere ? folder : mount };
    }
    if (type === 'cgroup2' && controllersOf(mount, read).includes(controller)) {
      // A group of version 2 that has processes gives no controllers to groups below it: the new ones lie beside it.
      return { version: 2, folder: join(mount, dirname(pathOf(own, ''))) };
    }
  }
  return undefined;
}

/** The own group: `4:cpu,cpuacct:/path`, and in version 2 `0::/path`. */
function pathOf(own: string, controller: Controller | ''): string {
  const lines = own.split('\n').map((line) => line.split(':'));
  return lines.find(([, names = '']) => names.split(',').includes(controller))?.[2] ?? '/';
}

function controllersOf(folder: string, read: (path: string) => string | undefined): string[] {
  return (read(join(folder, 'cgroup.controllers')) ?? '').trim().split(' ');
}

function makeGroup({ places, folders, cap: { cores, mebibytes } }: Group): void {
  const quota = Math.round(cores * PERIOD_US);
  openFolder(places.cpu, 'cpu', folders.cpu);
  if (places.cpu.version === 1) {
    limit(folders.cpu, 'cpu.cfs_period_us', PERIOD_US);
    limit(folders.cpu, 'cpu.cfs_quota_us', quota);
  } else limit(folders.cpu, 'cpu.max', `${quota} ${PERIOD_US}`);
  openFolder(places.memory, 'memory', folders.memory);
  if (mebibytes !== undefined) {
    const file = places.memory.version === 1 ? 'memory.limit_in_bytes' : 'memory.max';
    limit(folders.memory, file, mebibytes * MEBIBYTE);
  }
}

function openFolder({ version, folder: parent }: Place, controller: Controller, folder: string) {
  attempt(`make ${folder}`, () => mkdirSync(folder, { recursive: true }));
  if (version === 1 || controllersOf(folder, readIfThere).includes(controller)) return;
  attempt(`give groups of ${parent} the controller '${controller}'`, () =>
    writeFileSync(join(parent, 'cgroup.subtree_control'), `+${controller}`),
  );
}

function limit(folder: string, file: string, value: string | number): void {
  const path = join(folder, file);
  if (!existsSync(path)) throw cannotCap(`the kernel has no ${file}`);
  attempt(`write ${path}`, () => writeFileSync(path, String(value)));
}

function attempt(what: string, work: () => void): void {
  try {
    work();
  } catch (error) {
    throw cannotCap(`cannot ${what}: ${toError(error).message}`);
  }
}

function cannotCap(detail: string): Failure {
  return new Failure('unavailable', CANNOT_CAP, `processes cannot be capped: ${detail}`);
}

function usageOf({ name, cap, places, folders }: Group) {
  const { cpu, memory } = places;
  const stat = readIfThere(join(folders.cpu, 'cpu.stat')) ?? '';
  const count = (field: string) => Number(new RegExp(`^${field} (\\d+)`, 'm').exec(stat)?.[1] ?? 0);
  const throttledSeconds =
    cpu.version === 1 ? count('throttled_time') / 1e9 : count('throttled_usec') / 1e6;
  const peakFile = memory.version === 1 ? 'memory.max_usage_in_bytes' : 'memory.peak';
  const peak = Number(readIfThere(join(folders.memory, peakFile)) ?? Number.NaN);
  return {
    process: name,
    cores: cap.cores,
    mebibytes: cap.mebibytes ?? '',
    throttled_seconds: throttledSeconds.toFixed(1),
    peak_mebibytes: (peak / MEBIBYTE).toFixed(0),
  };
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** A group is busy for a moment after its last process has ended. */
async function remove(folder: string): Promise<void> {
  const deadline = performance.now() + REMOVAL_TIMEOUT_MS;
  for (;;) {
    try {
      rmdirSync(folder);
      return;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT') return;
      if (code !== 'EBUSY' || performance.now() > deadline) throw error;
    }
    await delay(REMOVAL_POLL_MS);
  }
}
