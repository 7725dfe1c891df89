/** Peaks of the memory of containers in MiB, by service, as their control groups count it. */
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { Container } from './site.ts';

const EVERY_MS = 2000;
const mebibytes = (bytes: unknown) => Math.round(Number(bytes) / 2 ** 20);

type Peak = { readonly peak: number; readonly anonymous: number; readonly limit: number };

export function watchMemory(list: () => Promise<readonly Container[]>) {
  const peaks = new Map<string, Peak>();
  const over = new AbortController();
  const look = async () => {
    for (const { service, pid, memoryBytes } of await list()) {
      const { peak: before = 0, anonymous: anonymousBefore = 0 } = peaks.get(service) ?? {};
      const { peak, anonymous } = readMemory(pid);
      peaks.set(service, {
        peak: Math.max(before, peak),
        anonymous: Math.max(anonymousBefore, anonymous),
        limit: mebibytes(memoryBytes),
      });
    }
  };
  const run = async () => {
    while (!over.signal.aborted) {
      // Docker may be away, and a process may end while its group is read.
      await look().catch(() => undefined);
      await delay(EVERY_MS, undefined, { signal: over.signal }).catch(() => undefined);
    }
  };
  const done = run();
  const textOf = ([service, { peak, anonymous, limit }]: readonly [string, Peak]) =>
    `${service} ${peak} (${anonymous} without files) of ${limit || 'any'}`;
  return {
    text: () => [...peaks].map(textOf).join(', '),
    async [Symbol.asyncDispose]() {
      over.abort();
      await done;
    },
  };
}

/** The group of a process, of version 1 or 2. @throws Error while Docker has not yet moved the process into its container's group */
function readMemory(pid: number): Omit<Peak, 'limit'> {
  const groups = readFileSync(`/proc/${pid}/cgroup`, 'utf8');
  const [, first] = /^\d+:memory:(.*)$/m.exec(groups) ?? [];
  const [, second = ''] = /^0::(.*)$/m.exec(groups) ?? [];
  if ((first ?? second) === '/') throw new Error(`process ${pid} is in the group of the machine`);
  const folder = first === undefined ? `/sys/fs/cgroup${second}` : `/sys/fs/cgroup/memory${first}`;
  const read = (file: string) => readFileSync(`${folder}/${file}`, 'utf8');
  const peak = read(first === undefined ? 'memory.peak' : 'memory.max_usage_in_bytes');
  const [, anonymous] = /^(?:total_rss|anon) (\d+)$/m.exec(read('memory.stat')) ?? [];
  return { peak: mebibytes(peak), anonymous: mebibytes(anonymous) };
}
