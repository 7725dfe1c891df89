/** A folder for everything one run leaves on disk, gone with it. */
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Under root the services give it up: they pass through the folder to their data, or it would go elsewhere. */
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
