/** Erases a subject of an archived market: the files of the archive stay as they are. */
import { appendToLedger, readLedger } from '../../kit/access/erasure-ledger.ts';
import { Failure } from '../../kit/words/failure.ts';
import type { Archive } from './archive-file.ts';
import { readRows, SUBJECTS } from './export-table.ts';
import type { FileStore } from './file-stores/file-store.ts';
import type { Folder } from './file-stores/folder.ts';
import { eraseKey } from './subject-keys.ts';

type Opened = {
  readonly archive: Archive;
  readonly store: FileStore;
  readonly key: Buffer | null;
  readonly subjectKeys: Folder | undefined;
};

/** @throws Failure where the ledger or the folder of keys is missing, or the archive has no such subject */
export async function eraseFromArchive(
  opened: Opened,
  ledger: string | undefined,
  token: string,
  reason: string,
): Promise<{ readonly isKeyDeleted: boolean }> {
  const { archive, key, subjectKeys: folder } = opened;
  const { market } = archive;
  if (ledger === undefined) {
    const why = `set RISK_ERASURE_LEDGER, which keeps erasures of ${market} over a restore`;
    throw new Failure('invalid', 'LEDGER_MISSING', why);
  }
  if (archive.subject_keys !== undefined && folder === undefined) {
    const why = `the keys of the subjects of ${market} stand apart: give --subject-keys DIR`;
    throw new Failure('invalid', 'SUBJECT_KEYS_MISSING', why);
  }
  if (!(await hasSubject(opened, token)))
    throw new Failure(
      'not-found',
      'SUBJECT_UNKNOWN',
      `no subject of the archive has the token ${token}`,
    );
  const erasedAt = new Date();
  // The ledger comes first: where the process ends here, no restore brings the subject back, and a repetition deletes the key.
  if (!(await readLedger(ledger, market)).has(token))
    await appendToLedger(ledger, market, [token], erasedAt);
  if (folder === undefined || archive.subject_keys === undefined) return { isKeyDeleted: false };
  await eraseKey({ folder, archive, key }, token, reason, erasedAt.toISOString());
  return { isKeyDeleted: true };
}

async function hasSubject({ archive, store, key }: Opened, token: string): Promise<boolean> {
  const table = archive.tables.find(({ name }) => name === SUBJECTS);
  if (table === undefined) return false;
  const tokenAt = table.columns.findIndex(({ name }) => name === 'token');
  for await (const rows of readRows({ store, archive: archive.market, key }, table))
    if (rows.some((row) => row[tokenAt] === token)) return true;
  return false;
}
