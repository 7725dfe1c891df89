/** Files of an archive in a folder. */
import { execFile } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { chmod, link, mkdir, open, readdir, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { firstBytes } from '../../../kit/client/object-store.ts';
import { Failure, toError } from '../../../kit/words/failure.ts';
import type { FileStore } from './file-store.ts';

/** Files of one `chattr`. Larger: the command line may exceed the system's bound; smaller: more processes. */
const SEALED_FILES = 500;

const run = promisify(execFile);

export type Folder = FileStore & Required<Pick<FileStore, 'list' | 'remove'>>;

export function openFolder(folder: string): Folder {
  const pathOf = (file: string) => join(folder, file);
  const find = async (file: string, bytesMax: number) =>
    await firstBytes(createReadStream(pathOf(file)), bytesMax + 1).catch((error: unknown) => {
      if (Object(error).code === 'ENOENT') return undefined;
      throw new Failure('unavailable', 'STORE_UNREACHABLE', toError(error).message);
    });
  const get = async (file: string, bytesMax: number) => {
    const found = await find(file, bytesMax);
    if (found !== undefined) return found;
    throw new Failure('unavailable', 'STORE_UNREACHABLE', `there is no ${pathOf(file)}`);
  };
  const make = () =>
    mkdir(folder, { recursive: true, mode: 0o700 }).catch((error) => unusable(folder, error));
  const writePartial = async (file: string, bytes: Buffer) => {
    await make();
    const partial = `${pathOf(file)}.partial`;
    await writeDurably(partial, bytes).catch((error) => unusable(partial, error));
    return partial;
  };
  return {
    name: folder,
    get,
    find,
    put: async (file, bytes) => {
      const path = pathOf(file);
      const partial = await writePartial(file, bytes);
      // A link fails where the name is taken; a rename would replace the file.
      const isNew = await link(partial, path).then(() => true, unlessTaken);
      if (!isNew) requireSame(path, await get(file, bytes.length), bytes);
      await unlink(partial);
      await syncFolder(folder);
    },
    replace: async (file, bytes) => {
      const partial = await writePartial(file, bytes);
      await rename(partial, pathOf(file)).catch((error: unknown) => {
        throw new Failure('conflict', 'PLACE_TAKEN', toError(error).message);
      });
      await syncFolder(folder);
    },
    list: async () => {
      await make();
      return await readdir(folder);
    },
    remove: async (file) => {
      await unlink(pathOf(file));
      await syncFolder(folder);
    },
    seal: async (files) => {
      for (let at = 0; at < files.length; at += SEALED_FILES) {
        const paths = files.slice(at, at + SEALED_FILES).map(pathOf);
        const why = await makeImmutable(paths);
        if (why !== null) return why;
      }
      return null;
    },
  };
}

/** A disk that is full, or a folder that the user may not write. */
function unusable(path: string, error: unknown): never {
  throw new Failure('unavailable', 'STORE_UNUSABLE', `${path}: ${toError(error).message}`);
}

function unlessTaken(error: NodeJS.ErrnoException): false {
  if (error.code === 'EEXIST') return false;
  throw error;
}

/** Makes the names of new files durable. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function makeImmutable(paths: readonly string[]): Promise<string | null> {
  try {
    for (const path of paths) await chmod(path, 0o400).catch(() => undefined);
    await run('chattr', ['+i', '--', ...paths]);
    return null;
  } catch (error) {
    const { message } = toError(error);
    return `chattr +i failed: ${message.split('\n').find((line) => line.includes('chattr: ')) ?? message.split('\n', 1)[0]}`;
  }
}

/** @throws Failure where the file exists with other bytes */
export function requireSame(name: string, there: Buffer, bytes: Buffer): void {
  if (there.equals(bytes)) return;
  const why = `${name} exists with other bytes, and files of an archive are written once: give --anew to begin another archive`;
  throw new Failure('conflict', 'PLACE_TAKEN', why);
}

/** Resolves once the bytes are on the disk. */
async function writeDurably(path: string, bytes: Buffer): Promise<void> {
  const file = await open(path, 'w', 0o600);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}
