/** The files of sql/ and the steps they consist of. */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Failure } from '../../words/failure.ts';

export const SQL_FOLDER = fileURLToPath(new URL('../../../../sql/', import.meta.url));
const MIGRATION_FILE = /^\d{4}(_[a-z0-9]+)+\.sql$/;
/** A comment that begins a step and says how it runs; a file without any is one transaction. */
const MARK = /^-- (transaction|concurrently|step):.*$/m;

/**
 * - `transaction`  one transaction, together with the record that it is done.
 * - `concurrently` one `create index concurrently`, see migrate.ts.
 * - `step`         one `do` block that commits by itself, outside of a transaction. It must be fit to run again.
 */
type StepKind = 'transaction' | 'concurrently' | 'step';
export type Step = { readonly kind: StepKind; readonly text: string };
/** A file of sql/, and the SHA-256 of its text in hexadecimal digits. */
export type Checksum = { readonly name: string; readonly checksum: string };
export type Migration = Checksum & {
  /** At least one. */
  readonly steps: readonly Step[];
};

/** @throws Failure where the file that was applied had another text */
export function refuseEdited({ name, checksum }: Checksum, applied: string): void {
  if (checksum === applied) return;
  const detail = `sql/${name} was edited after it was applied`;
  throw new Failure('invalid', 'MIGRATION_EDITED', detail);
}

export async function readMigrations(folder: string = SQL_FOLDER): Promise<Migration[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.sql')).sort();
  const wrong = names.find((name) => !MIGRATION_FILE.test(name));
  if (wrong !== undefined) throw new Error(`sql/${wrong} is not named NNNN_name.sql`);
  return await Promise.all(
    names.map(async (name) => {
      const text = await readFile(`${folder}/${name}`, 'utf8');
      const checksum = createHash('sha256').update(text).digest('hex');
      return { name, checksum, steps: stepsOf(text) };
    }),
  );
}

function stepsOf(text: string): Step[] {
  // With its group, the mark's kind stands between the texts.
  const [head = '', ...rest] = text.split(MARK);
  if (rest.length === 0) return [{ kind: 'transaction', text: head }];
  return Array.from({ length: rest.length / 2 }, (_, at) => ({
    kind: rest[2 * at] as StepKind,
    text: rest[2 * at + 1] ?? '',
  }));
}
