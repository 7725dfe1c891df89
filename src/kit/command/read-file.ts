/** Files that a command is given: bounded, and refused by name. */
import { open } from 'node:fs/promises';
import { Failure } from '../words/failure.ts';

/** A file that is too large is not read. @throws Failure `invalid` */
export async function readBounded(path: string, bytesMax: number): Promise<Buffer> {
  try {
    await using file = await open(path, 'r');
    const { size } = await file.stat();
    if (size > bytesMax) throw new Error(`${size} bytes, at most ${bytesMax} are taken`);
    return await file.readFile();
  } catch (error) {
    throw unusable(path, error);
  }
}

export function unusable(path: string, error: unknown): Failure {
  const why = error instanceof Error ? error.message : String(error);
  return new Failure('invalid', 'FILE_INVALID', `${path}: ${why}`, { cause: error });
}
