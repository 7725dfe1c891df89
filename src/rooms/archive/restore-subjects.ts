/** Subjects of a restored market, with their keys and without subjects that the ledger has as erased. */
import { readLedger, requireInLedger } from '../../kit/access/erasure-ledger.ts';
import type { Config } from '../../kit/config/config.ts';
import type { Query } from '../../kit/database/pool.ts';
import { rowsOf } from '../../kit/database/statement.ts';
import { Failure } from '../../kit/words/failure.ts';
import type { Archive, Table } from './archive-file.ts';
import { SUBJECTS, wrong } from './export-table.ts';
import type { Folder } from './file-stores/folder.ts';
import type { Into } from './load-table.ts';
import { type LoadedKeys, loadKeys, tokenIn } from './subject-keys.ts';

export type OfSubjects = {
  readonly config: Config;
  readonly archive: Archive;
  readonly key: Buffer | null;
  readonly subjectKeys: Folder | undefined;
};

/** Facts about the market's subjects, read before anything is restored. */
export type Subjects = {
  /** Lookup and key of each token; undefined: the archive itself has the keys, as archives of 1.0.0 do. */
  readonly keys: LoadedKeys['keys'] | undefined;
  /** Tokens that the ledger has as erased. */
  readonly erased: ReadonlySet<string>;
};

/** @throws Failure where the ledger or the keys are missing, or the ledger lacks an erasure */
export async function openSubjects(restoring: OfSubjects): Promise<Subjects> {
  const { config, archive, subjectKeys: folder, key } = restoring;
  const { market, subject_keys: apart } = archive;
  const rowsIn = (name: string) => archive.tables.find((table) => table.name === name)?.rows ?? 0;
  const isPersonal = rowsIn(SUBJECTS) + rowsIn('erasures') > 0;
  if (!isPersonal) return { keys: undefined, erased: new Set() };
  const path = config.RISK_ERASURE_LEDGER;
  if (path === undefined) {
    const why = `the archive of ${market} has subjects: set RISK_ERASURE_LEDGER, as a restore applies the ledger`;
    throw new Failure('invalid', 'LEDGER_MISSING', why);
  }
  const ledger = await readLedger(path, market);
  const erased = new Set(ledger.keys());
  if (apart === undefined) return { keys: undefined, erased };
  if (folder === undefined) {
    const why = `the keys of the subjects of ${market} stand apart: give --subject-keys DIR`;
    throw new Failure('invalid', 'SUBJECT_KEYS_MISSING', why);
  }
  const loaded = await loadKeys({ folder, archive, key });
  requireInLedger(path, ledger, loaded.erased, folder.name);
  return { keys: loaded.keys, erased };
}

/** Joins subjects with their keys, without those that the ledger has as erased. */
export function withKeys(
  { archive }: Pick<OfSubjects, 'archive'>,
  table: Table,
  { keys, erased }: Subjects,
  onErased: () => void,
): NonNullable<Into['change']> {
  const tokenAt = tokenIn(table);
  const columns = (archive.subject_keys?.columns ?? []).filter(({ name }) => name !== 'token');
  return {
    columns,
    cellsOf: (row: readonly (string | null)[]) => {
      const token = row[tokenAt] ?? '';
      if (erased.has(token)) {
        onErased();
        return undefined;
      }
      if (keys === undefined) return [];
      const found = keys.get(token);
      if (found !== undefined) return found;
      throw wrong(`the subject ${token} has no key, and the ledger has no erasure of it`);
    },
  };
}

const listErased = rowsOf<{ token: string }>(
  'list-erased-of-restore',
  'select token from market.erasures',
);

/** @throws Failure where the ledger lacks an erasure of the time before the rollback */
export async function requireErasures(
  { config, archive }: OfSubjects,
  query: Query,
): Promise<void> {
  const erased = new Set((await listErased(query)).map(({ token }) => token));
  const path = config.RISK_ERASURE_LEDGER ?? '';
  if (erased.size === 0) return;
  requireInLedger(path, await readLedger(path, archive.market), erased, 'the archive');
}
