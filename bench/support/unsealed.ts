import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Lets the files of archived months be removed again, on disposal, where the file system had made them immutable. */
export const unsealed = (folder: string): AsyncDisposable => ({
  [Symbol.asyncDispose]: async () => {
    await promisify(execFile)('chattr', ['-R', '-i', folder]).catch(() => undefined);
  },
});
