/** The folder that a trained model is written to: all of its files at once, or none. */
import { chmod, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { Failure } from '../../../kit/words/failure.ts';

/**
 * Makes the folder under a temporary name before the training, so that hours of work do not end at a folder
 * that cannot be written.
 * @throws Failure `NOT_WRITTEN` where the folder is not empty
 */
export async function openModelFolder(out: string) {
  const path = resolve(out);
  const temporary = await orRefuse(async () => {
    await refuseFilled(path);
    await mkdir(dirname(path), { recursive: true });
    return await mkdtemp(join(dirname(path), `.${basename(path)}-`));
  });
  return {
    path,
    /**
     * Renames the folder to its final name.
     * @throws Failure where that name exists by now
     */
    commit: (files: Readonly<Record<string, Uint8Array | string>>) =>
      orRefuse(async () => {
        for (const [name, content] of Object.entries(files)) {
          await writeFile(join(temporary, name), content);
        }
        // mkdtemp makes a folder for its owner alone.
        await chmod(temporary, 0o777 & ~process.umask());
        // An empty folder is replaced; a filled one is not.
        await rename(temporary, path);
      }),
    /** Removes everything that was not committed. */
    [Symbol.asyncDispose]: () => rm(temporary, { recursive: true, force: true }),
  };
}

async function refuseFilled(path: string): Promise<void> {
  const entries = await readdir(path).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  });
  if (entries.length > 0) throw new Error(`${path} is not empty`);
}

/** @throws Failure `NOT_WRITTEN` */
export async function orRefuse<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Failure('invalid', 'NOT_WRITTEN', why, { cause: error });
  }
}
