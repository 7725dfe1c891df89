/**
 * A lock is a file that bars other processes of this machine from changing the file beside it. To take over the lock of a dead process,
 * a process first locks the heir, a file named after the dead process: otherwise a second process that saw the same dead lock would
 * take the new lock away.
 */
import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { Failure } from '../words/failure.ts';

/** Time to write the process id into a new lock. Longer: a process that dies meanwhile bars longer; shorter: a frozen process loses its lock. */
const UNNUMBERED_MS_MAX = 2000;

/**
 * Bars other processes until the lock is disposed.
 * @param does the work with the file, as `exports to` @throws Failure where another process does it
 */
export async function lockFile(path: string, does: string): Promise<AsyncDisposable> {
  const lock = `${path}.lock`;
  await take(lock, (pid) => {
    const why = `process ${pid || 'unknown'} ${does} ${path}: wait for its end, or remove ${lock}`;
    return new Failure('conflict', 'FILE_LOCKED', why);
  });
  return { [Symbol.asyncDispose]: () => rm(lock, { force: true }) };
}

async function take(lock: string, lockedBy: (pid: number) => Failure): Promise<void> {
  while (!(await make(lock))) {
    const pid = await holderOf(lock);
    if (pid === undefined) continue;
    if (await isAlive(pid, lock)) throw lockedBy(pid);
    const heir = `${lock}.${pid}`;
    await take(heir, lockedBy);
    const isSame = (await holderOf(lock)) === pid && !(await isAlive(pid, lock));
    if (isSame) return await rename(heir, lock);
    await rm(heir, { force: true });
  }
}

/** False if the lock exists already. */
async function make(lock: string): Promise<boolean> {
  try {
    await writeFile(lock, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw unwritable(error as Error);
  }
}

/** 0 while the lock has no process id; undefined if the lock is gone. */
async function holderOf(lock: string): Promise<number | undefined> {
  try {
    return Math.max(0, Number.parseInt(await readFile(lock, 'utf8'), 10) || 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

async function isAlive(pid: number, lock: string): Promise<boolean> {
  // An earlier process had the same id, as the first process of each container has.
  if (pid === process.pid) return false;
  try {
    if (pid === 0) return Date.now() - (await stat(lock)).mtimeMs < UNNUMBERED_MS_MAX;
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

export const unwritable = (error: Error) =>
  new Failure('invalid', 'FILE_UNWRITABLE', error.message, { cause: error });
