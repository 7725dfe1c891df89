/** A file beside another file that bars other processes of this machine from changing it. */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { Failure } from '../words/failure.ts';

/**
 * Bars other processes until the lock is disposed. The lock of a process that has died is taken over.
 * @param does the work with the file, as `exports to` @throws Failure where another process does it
 */
export async function lockFile(path: string, does: string): Promise<AsyncDisposable> {
  const lock = `${path}.lock`;
  const take = () => writeFile(lock, String(process.pid), { flag: 'wx' });
  await take().catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw unwritable(error);
    const pid = Number(await readFile(lock, 'utf8'));
    if (pid !== process.pid && isRunning(pid)) {
      const why = `process ${pid} ${does} ${path}: wait for its end, or remove ${lock}`;
      throw new Failure('conflict', 'FILE_LOCKED', why);
    }
    await rm(lock, { force: true });
    await take();
  });
  return { [Symbol.asyncDispose]: () => rm(lock, { force: true }) };
}

function isRunning(pid: number): boolean {
  try {
    return pid > 0 && process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

export const unwritable = (error: Error) =>
  new Failure('invalid', 'FILE_UNWRITABLE', error.message, { cause: error });
