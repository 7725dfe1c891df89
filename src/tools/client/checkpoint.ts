/**
 * Where a replay may resume after a stop: the number of leading rows of the file that are all answered. The
 * file on disk is replaced as a whole, so it is never half written.
 */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { Failure } from '../../kit/words/failure.ts';

/** Identity of the file being replayed, which does not change when it is moved. */
type ReplayedFile = { readonly path: string; readonly bytes: number };

export async function readCheckpoint(path: string, file: ReplayedFile): Promise<number> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw new Failure('invalid', 'CHECKPOINT_UNREADABLE', error.message);
  });
  if (text === undefined) return 0;
  const known = parse(text);
  if (known?.file !== basename(file.path) || known.bytes !== file.bytes) {
    throw new Failure(
      'invalid',
      'CHECKPOINT_OF_ANOTHER_FILE',
      `${path} does not belong to ${file.path}: remove it to start from the first row`,
    );
  }
  return known.rows;
}

export async function writeCheckpoint(
  path: string,
  file: ReplayedFile,
  rows: number,
): Promise<void> {
  const partial = `${path}.partial`;
  const content = { file: basename(file.path), bytes: file.bytes, rows };
  await writeFile(partial, `${JSON.stringify(content)}\n`);
  await rename(partial, path);
}

function parse(text: string): { file: unknown; bytes: unknown; rows: number } | undefined {
  try {
    const { file, bytes, rows } = JSON.parse(text);
    return Number.isSafeInteger(rows) && rows >= 0 ? { file, bytes, rows } : undefined;
  } catch {
    return undefined;
  }
}

/** Tracks the leading rows that are all answered while batches finish in any order. */
export function createContiguous(firstRow: number): {
  /** Rows up to `rowsEnd` were taken; the returned function marks them as answered. */
  begin(rowsEnd: number): () => void;
  rows(): number;
} {
  const open = new Set<{ readonly rowsBefore: number }>();
  let taken = firstRow;
  return {
    begin(rowsEnd) {
      const batch = { rowsBefore: taken };
      taken = rowsEnd;
      open.add(batch);
      return () => {
        open.delete(batch);
      };
    },
    // A Set keeps insertion order, so the first open batch is the earliest.
    rows: () => open.values().next().value?.rowsBefore ?? taken,
  };
}
