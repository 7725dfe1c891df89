/** How much of a processor Linux lets this process use: quotas of its control groups, of version 1 or 2. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

type Read = (path: string) => string | undefined;

/** Processors of the smallest quota over this process; 1 at most, as a role computes in one thread. */
export function processorLimitCores(read: Read = readIfThere): number {
  // A path may have colons.
  const groups = (read('/proc/self/cgroup') ?? '').matchAll(/^\d+:(.*?):(\/.*)$/gm);
  const cores = [...groups].flatMap(([, controllers = '', path = '/']) => {
    if (controllers === '') return foldersOf('/sys/fs/cgroup', path).map((one) => newer(read, one));
    if (!controllers.split(',').includes('cpu')) return [];
    return foldersOf('/sys/fs/cgroup/cpu', path).map((one) => older(read, one));
  });
  // A group without a quota has 'max', or -1.
  return Math.min(1, ...cores.filter((one) => one > 0));
}

/** The group and those around it. In a container the mount may be the own group, whatever the path. */
function foldersOf(mount: string, path: string): string[] {
  const folder = join(mount, path);
  return path === '/' ? [mount] : [folder, ...foldersOf(mount, dirname(path))];
}

function newer(read: Read, folder: string): number {
  const [quota, period] = (read(join(folder, 'cpu.max')) ?? '').split(' ').map(Number);
  return (quota ?? Number.NaN) / (period ?? Number.NaN);
}

function older(read: Read, folder: string): number {
  const numberIn = (file: string) => Number(read(join(folder, file)));
  return numberIn('cpu.cfs_quota_us') / numberIn('cpu.cfs_period_us');
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
