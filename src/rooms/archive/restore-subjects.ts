/** Subjects of a restored market, with their keys and without subjects that the ledger has as erased. */
import { readLedger, requireInLedger } from '../../kit/access/erasure-ledger.ts';
import type { Config } from '../../kit/config/config.ts';
import type { Query } from '../../kit/database/pool.ts';
import { rowsOf } from '../../kit/database/statement.ts';
import type { Archive, Table } from './archive-file.ts';
import { SUBJECTS, wrong } from './export-table.ts';
import type { Folder } from './file-stores/folder.ts';
import type { Into } from './load-table.ts';
import { apartOf, type LoadedKeys, loadKeys, requireLedger, tokenIn } from './subject-keys.ts';

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
  /** Path of the ledger, and the erasures that it has. */
  readonly path: string;
  readonly ledger: ReadonlyMap<string, string>;
};

/** @throws Failure where the ledger or the keys are missing, or the ledger lacks an erasure */
export async function openSubjects(restoring: OfSubjects): Promise<Subjects> {
  const { config, archive } = restoring;
  const rowsIn = (name: string) => archive.tables.find((table) => table.name === name)?.rows ?? 0;
  const isPersonal = rowsIn(SUBJECTS) + rowsIn('erasures') > 0;
  if (!isPersonal) return { keys: undefined, path: '', ledger: new Map() };
  const path = requireLedger(config.RISK_ERASURE_LEDGER, archive.market);
  const ledger = await readLedger(path, archive.market);
  const apart = apartOf(restoring);
  if (apart === undefined) return { keys: undefined, path, ledger };
  const { keys, erased } = await loadKeys(apart);
  requireInLedger(path, ledger, erased, apart.folder.name);
  return { keys, path, ledger };
}

/** Joins subjects with their keys, without those that the ledger has as erased. */
export function withKeys(
  { archive }: Pick<OfSubjects, 'archive'>,
  table: Table,
  { keys, ledger }: Subjects,
): NonNullable<Into['change']> {
  const tokenAt = tokenIn(table);
  const columns = (archive.subject_keys?.columns ?? []).filter(({ name }) => name !== 'token');
  return {
    columns,
    cellsOf: (row: readonly (string | null)[]) => {
      const token = row[tokenAt] ?? '';
      if (ledger.has(token)) return undefined;
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
export async function requireErasures(query: Query, { path, ledger }: Subjects): Promise<void> {
  const erased = new Set((await listErased(query)).map(({ token }) => token));
  requireInLedger(path, ledger, erased, 'the archive');
}
