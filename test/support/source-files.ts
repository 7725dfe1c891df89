/** The repository's own files, for tests of the code's shape. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { REPOSITORY } from './risk.ts';

export type SourceFile = { readonly path: string; readonly text: string };

/** Files under a folder of the repository, by paths relative to its root, in a stable order. */
export function readSources(folder: string, ending: RegExp): SourceFile[] {
  return (
    readdirSync(join(REPOSITORY, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && ending.test(entry.name))
      .map((entry) => join(entry.parentPath, entry.name))
      // The rivals of a bench have packages of their own.
      .filter((file) => !file.includes('/node_modules/'))
      .sort()
      .map((file) => ({ path: relative(REPOSITORY, file), text: readFileSync(file, 'utf8') }))
  );
}
