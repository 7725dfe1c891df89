/** A folder for all files of one run; it is removed with the run. */
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * The services give up root: they have to pass through the folder to their data, or it would be put elsewhere.
 */
const PASSABLE = 0o711;

export type RunFolder = { readonly path: string; [Symbol.asyncDispose](): Promise<void> };

export async function makeRunFolder(name: string): Promise<RunFolder> {
  const path = await mkdtemp(join(tmpdir(), `${name}-`));
  await chmod(path, PASSABLE);
  return {
    path,
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  };
}
