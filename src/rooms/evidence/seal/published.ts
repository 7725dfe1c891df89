/** Checkpoints kept outside Postgres: a file of one line each, appended and synced before the checkpoint is served. */
import { mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { readHead, type TreeHead } from '../log/checkpoint.ts';
import { type ReadTile, rootBetween } from '../log/tree.ts';

/** Bytes read from the end of the file, more than the last line: a line with two signatures has 3.7 KB. */
const TAIL_BYTES = 65_536;
const lineSchema = z.object({ note: z.string() });

/**
 * The largest checkpoint of the last whole lines, as a leader that stood still may publish an older checkpoint behind those of its
 * successor; undefined without a file or a line.
 */
export async function readPublished(path: string): Promise<string | undefined> {
  const file = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (file === undefined) return undefined;
  try {
    const { size } = await file.stat();
    const from = Math.max(0, size - TAIL_BYTES);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size - from), 0, size - from, from);
    const lines = buffer.toString('utf8', 0, bytesRead).split('\n').slice(0, -1);
    const written = lines.filter((line) => line.startsWith('{'));
    const last = written.pop();
    if (last === undefined) return undefined;
    return written.reduce(larger, lineSchema.parse(JSON.parse(last)).note);
  } finally {
    await file.close();
  }
}

/** The larger of a checkpoint and that of a line, which a crash may have cut off. */
function larger(most: string, line: string): string {
  try {
    const { note } = lineSchema.parse(JSON.parse(line));
    return (readHead(note)?.size ?? 0) > (readHead(most)?.size ?? Infinity) ? note : most;
  } catch {
    return most;
  }
}

/** Resolves once the line is on the disk. */
export async function publish(path: string, note: string, at: Date): Promise<void> {
  await mkdir(join(path, '..'), { recursive: true });
  const file = await open(path, 'a', 0o644);
  try {
    // The first newline ends a line that a crash cut off, so that the new line is whole.
    await file.write(`\n${JSON.stringify({ at: at.toISOString(), note })}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
}

/**
 * Says how the log contradicts a published checkpoint; undefined where the log continues the checkpoint.
 * @param note from the file, or from a reader
 */
export async function contradiction(
  log: TreeHead,
  note: string | undefined,
  read: ReadTile,
): Promise<string | undefined> {
  if (note === undefined) return undefined;
  const seen = readHead(note);
  if (seen === undefined) return 'the published checkpoint cannot be read';
  if (seen.origin !== log.origin) return `the published checkpoint is of the log ${seen.origin}`;
  if (seen.size > log.size) {
    return `the log has ${log.size} leaves, and a checkpoint of ${seen.size} was published: its tail is cut, or an old backup was restored`;
  }
  const root = await rootBetween(read, 0, seen.size).catch(() => undefined);
  if (root?.equals(seen.root)) return undefined;
  return `the first ${seen.size} leaves have another root than the published checkpoint: the log was hashed anew, or has two histories`;
}
