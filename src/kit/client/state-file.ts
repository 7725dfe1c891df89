/**
 * Progress of a command, so that it goes on there after a stop. The file is replaced as a whole, so it is never
 * half written.
 */
import { readFile, rename, writeFile } from 'node:fs/promises';
import type { z } from 'zod';
import { Failure } from '../words/failure.ts';

/** @returns undefined where there is no file. @throws Failure for the state of something other than `what` */
export async function readState<State>(
  path: string,
  schema: z.ZodType<State>,
  isOurs: (state: State) => boolean,
  what: string,
): Promise<State | undefined> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw new Failure('invalid', 'STATE_UNREADABLE', error.message);
  });
  if (text === undefined) return undefined;
  const state = schema.safeParse(parse(text)).data;
  if (state !== undefined && isOurs(state)) return state;
  throw new Failure(
    'invalid',
    'STATE_OF_ANOTHER',
    `${path} does not belong to ${what}: remove it to begin anew`,
  );
}

export async function writeState(path: string, state: object): Promise<void> {
  const partial = `${path}.partial`;
  await writeFile(partial, `${JSON.stringify(state)}\n`);
  await rename(partial, path);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
