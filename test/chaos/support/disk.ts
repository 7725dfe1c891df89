/**
 * A disk that a scenario can fill without harm to the machine: a small file system in memory (tmpfs). Where
 * mounting is not allowed, the scenario is not run.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { NotRun } from './not-run.ts';

export function mountDisk(path: string, bytes: number): Disposable {
  const options = `size=${bytes},mode=0711`;
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', path]);
  if (mounted.status !== 0) throw new NotRun('this user may not mount a tmpfs');
  return {
    [Symbol.dispose]: () => {
      execFileSync('umount', [path]);
    },
  };
}

const CHUNK_BYTES = 64 * 1024;

/** Fills the free space of a disk; disposing it frees the space again. */
export function fillDisk(path: string): Disposable {
  const ballast = join(path, 'ballast');
  const file = openSync(ballast, 'w');
  const chunk = Buffer.alloc(CHUNK_BYTES);
  try {
    for (;;) writeSync(file, chunk);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error;
  } finally {
    closeSync(file);
  }
  return { [Symbol.dispose]: () => rmSync(ballast) };
}

export function freeBytes(path: string): number {
  const { bavail, bsize } = statfsSync(path);
  return bavail * bsize;
}
