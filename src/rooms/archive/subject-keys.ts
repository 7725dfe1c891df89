/**
 * Keys of an archive's subjects, in a folder apart from the archive: the files of the archive never change, and an erasure deletes a
 * subject's key here. Without the key nobody reads the value, and without the lookup nobody finds a value that is guessed.
 */
import { join } from 'node:path';
import { z } from 'zod';
import type { Database } from '../../kit/database/pool.ts';
import { lockFile } from '../../kit/process/lock-file.ts';
import { parseJson } from '../../kit/words/cursor.ts';
import { Failure } from '../../kit/words/failure.ts';
import { type Archive, filesOf, MANIFEST_BYTES_MAX, tableSchema } from './archive-file.ts';
import {
  exportTable,
  type Named,
  readPart,
  readRows,
  type Stored,
  SUBJECT_KEYS,
  SUBJECTS,
  writePart,
  wrong,
} from './export-table.ts';
import type { Folder } from './file-stores/folder.ts';
import { type Cells, hashRow } from './part-file.ts';

const KEYS_FILE = 'subject-keys.json';

const keysSchema = z.object({
  format: z.literal(1),
  market: z.string(),
  /** The time of the archive. */
  begun_at: z.string(),
  table: tableSchema,
  erased: z.array(z.object({ token: z.string(), erased_at: z.string(), reason: z.string() })),
});
type Keys = z.infer<typeof keysSchema>;

export type Apart = {
  readonly folder: Folder;
  readonly archive: Pick<Archive, 'market' | 'begun_at' | 'subject_keys'>;
  readonly key: Buffer | null;
};

type Opened = Omit<Apart, 'folder'> & { readonly subjectKeys: Folder | undefined };

/** Keys apart from the archive; undefined for an archive of 1.0.0, which has the keys. @throws Failure without the folder of the keys */
export function apartOf({ archive, subjectKeys: folder, key }: Opened): Apart | undefined {
  if (archive.subject_keys === undefined) return undefined;
  if (folder === undefined) throw keysMissing(archive.market);
  return { folder, archive, key };
}

export function keysMissing(market: string): Failure {
  const why = `${market} has personal fields: give --subject-keys DIR, a folder apart from the archive, in which keys can be deleted`;
  return new Failure('invalid', 'SUBJECT_KEYS_MISSING', why);
}

/** @throws Failure where no ledger is set */
export function requireLedger(path: string | undefined, market: string): string {
  if (path !== undefined) return path;
  const why = `set RISK_ERASURE_LEDGER, which keeps erasures of ${market} over a restore`;
  throw new Failure('invalid', 'LEDGER_MISSING', why);
}

export const tokenIn = ({ columns }: Named): number =>
  columns.findIndex(({ name }) => name === 'token');

const storedOf = ({ folder, archive, key }: Apart): Stored => ({
  store: folder,
  archive: `${archive.market}/subject-keys`,
  key,
  isReplaced: true,
});

async function findKeys({ folder, archive }: Apart): Promise<Keys | undefined> {
  const bytes = await folder.find(KEYS_FILE, MANIFEST_BYTES_MAX);
  if (bytes === undefined) return undefined;
  const read = keysSchema.safeParse(parseJson(bytes.toString()));
  const { market, begun_at: begunAt } = archive;
  if (read.data?.market === market && read.data.begun_at === begunAt) return read.data;
  const why = `${folder.name} has no keys of the archive of ${market} that was begun at ${begunAt}`;
  throw new Failure('invalid', 'SUBJECT_KEYS_WRONG', why);
}

async function readKeys(apart: Apart): Promise<Keys> {
  const keys = await findKeys(apart);
  if (keys !== undefined) return keys;
  const why = `${apart.folder.name} has no ${KEYS_FILE}`;
  throw new Failure('invalid', 'SUBJECT_KEYS_WRONG', why);
}

/** Removes files of keys that the manifest does not name; other files of the folder are none of ours. */
async function removeOld({ folder }: Apart, keys: Pick<Keys, 'table'>): Promise<void> {
  const known = filesOf([keys.table]);
  for (const file of await folder.list())
    if (file.startsWith(`${SUBJECTS}.`) && !known.includes(file)) await folder.remove(file);
}

const writeKeys = ({ folder }: Apart, keys: Keys) =>
  folder.replace(KEYS_FILE, Buffer.from(`${JSON.stringify(keys, null, 1)}\n`));

/** @throws Failure where the folder has the keys of another archive */
export async function exportKeys(database: Pick<Database, 'session'>, apart: Apart) {
  await findKeys(apart);
  const table = await exportTable(database, storedOf(apart), SUBJECT_KEYS);
  const { market, begun_at: begunAt } = apart.archive;
  await writeKeys(apart, { format: 1, market, begun_at: begunAt, table, erased: [] });
  await removeOld(apart, { table });
  const { columns, rows, content } = table;
  return { columns, rows, content };
}

export type LoadedKeys = {
  /** Lookup and subject key of each token. */
  readonly keys: ReadonlyMap<string, Cells>;
  /** Tokens that were erased from the archive. */
  readonly erased: ReadonlySet<string>;
};

/** Reads all keys. @throws Failure where a file was changed, or a key is missing */
export async function loadKeys(apart: Apart): Promise<LoadedKeys> {
  const { table, erased } = await readKeys(apart);
  const tokenAt = tokenIn(table);
  const keys = new Map<string, Cells>();
  for await (const rows of readRows(storedOf(apart), table))
    for (const row of rows) keys.set(row[tokenAt] ?? '', row.toSpliced(tokenAt, 1));
  if (keys.size + erased.length !== apart.archive.subject_keys?.rows)
    throw wrong(`${apart.folder.name} has other keys than those of the archive`);
  return { keys, erased: new Set(erased.map(({ token }) => token)) };
}

/** Bars other erasures until the lock is disposed. */
export const lockKeys = ({ folder }: Apart): Promise<AsyncDisposable> =>
  lockFile(join(folder.name, KEYS_FILE), 'erases a subject in');

/** Removes files with keys that an erasure has left which was ended before its last step. */
export async function finishErasures(apart: Apart): Promise<void> {
  await removeOld(apart, await readKeys(apart));
}

/** Deletes the key of a subject; a repetition changes nothing. */
export async function eraseKey(
  apart: Apart,
  token: string,
  reason: string,
  erasedAt: string,
): Promise<void> {
  const stored = storedOf(apart);
  const { table, erased, ...keys } = await readKeys(apart);
  const tokenAt = tokenIn(table);
  const last = Math.max(...table.parts.map(({ file }) => Number(file.split('.')[1])));
  for (const part of table.parts) {
    const rows = await readPart(stored, part);
    const gone = rows.find((row) => row[tokenAt] === token);
    if (gone === undefined) continue;
    const left = rows.filter((row) => row !== gone);
    const made = await writePart(stored, table, last + 1, left);
    const parts = table.parts.map((known) => (known === part ? made : known));
    const content = String(BigInt(table.content) - hashRow(gone));
    const now = { ...table, rows: table.rows - 1, content, parts };
    const line = { token, erased_at: erasedAt, reason };
    await writeKeys(apart, { ...keys, table: now, erased: [...erased, line] });
    // The file that had the key goes last: until then the erasure is not over, and the next one finishes it.
    await removeOld(apart, { table: now });
    return;
  }
}
