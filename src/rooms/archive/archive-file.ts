/**
 * The file `archive.json` of a market's archive: its tables, and the next step of the rollback. Each step replaces the file as a
 * whole, so `--continue` finds the step.
 */
import { z } from 'zod';
import { parseJson } from '../../kit/words/cursor.ts';
import { DESCRIBED, issueText } from '../../kit/words/describe-issue.ts';
import { Failure } from '../../kit/words/failure.ts';
import type { FileStore } from './file-stores/file-store.ts';

export const ARCHIVE_FILE = 'archive.json';
/** Larger: a store that is not ours takes more memory; smaller: an archive of many months of files is refused. */
export const MANIFEST_BYTES_MAX = 64 * 1024 * 1024;

export const STEPS = ['drain', 'export', 'verify', 'redis', 'drop', 'others', 'done'] as const;
export type Step = (typeof STEPS)[number];

const partSchema = z.object({
  // A path would lead out of the archive.
  file: z.string().regex(/^\w+\.\d+\.parquet(\.sealed)?$/),
  rows: z.int(),
  bytes: z.int(),
  sha256: z.string(),
});
export type Part = z.infer<typeof partSchema>;

export const tableSchema = z.object({
  name: z.string(),
  columns: z.array(z.object({ name: z.string(), type: z.string() })),
  rows: z.int(),
  content: z
    .string()
    .meta({ description: 'Sum of the hashes of all rows, as Postgres computes them.' }),
  parts: z.array(partSchema),
});
export type Table = z.infer<typeof tableSchema>;

const figuresSchema = z.object({
  market: z.string(),
  transactions: z.number(),
  scores: z.number(),
  dead_letters: z.number(),
  sample: z.array(z.string()).meta({ description: 'Ids of the newest scores.' }),
  sample_sha256: z.string(),
  different: z
    .int()
    .meta({ description: 'Scores of the sample that differ when they are computed again.' }),
  times: z
    .object({
      read_p50_ms: z.number(),
      read_p99_ms: z.number(),
      scored: z.int().meta({ description: 'Transactions of the time that is compared.' }),
      scored_p50_ms: z.number().nullable(),
      scored_p99_ms: z.number().nullable(),
    })
    .optional()
    .meta({ description: 'Reads of the sample, and times from acceptance to score.' }),
});
export type Figures = z.infer<typeof figuresSchema>;

export const archiveSchema = z.object({
  format: z.literal(1),
  market: z.string(),
  encryption: z.enum(['aes-256-gcm', 'none']),
  begun_at: z.string(),
  frozen_at: z.string(),
  step: z.enum(STEPS),
  requested_by: z.string().nullable(),
  confirmed_by: z.string().nullable(),
  migrations: z.array(z.string()),
  tables: z.array(tableSchema),
  keys_removed: z.int(),
  topics_removed: z.int().default(0).meta({ description: 'Topics of Kafka.' }),
  others: z.array(figuresSchema),
  losses: z
    .array(z.string())
    .meta({ description: 'Losses of other markets since the archive began.' }),
  // Members that 1.0.0 did not write are optional.
  corridors: z.array(z.string()).optional(),
  lock_until: z.string().optional(),
  subject_keys: tableSchema.pick({ columns: true, rows: true, content: true }).optional().meta({
    description: 'Columns of subjects that stand apart from the archive, and can be deleted.',
  }),
});
export type Archive = z.infer<typeof archiveSchema>;

export async function findArchive(store: FileStore): Promise<Archive | undefined> {
  const bytes = await store.find(ARCHIVE_FILE, MANIFEST_BYTES_MAX);
  if (bytes === undefined) return undefined;
  const read = archiveSchema.safeParse(parseJson(bytes.toString()), DESCRIBED);
  if (read.success) return read.data;
  const [first] = read.error.issues;
  const fault = first?.path.length
    ? `${first.path.join('.')} ${issueText(first)}`
    : 'it is no JSON';
  const why = `${ARCHIVE_FILE} of ${store.name} is no archive of a market of this release: ${fault}`;
  throw new Failure('invalid', 'NOT_AN_ARCHIVE', why);
}

/** The archive to continue; undefined where a new archive begins. @throws Failure where the options want neither */
export async function openArchive(
  store: FileStore,
  market: string,
  isContinued: boolean,
): Promise<Archive | undefined> {
  const { name } = store;
  const found = await findArchive(store);
  if (found === undefined) {
    const files = (await store.list?.()) ?? [];
    const isBegun = files.some((file) => !file.endsWith('.partial'));
    if (!isBegun) return undefined;
    throw new Failure('invalid', 'NOT_EMPTY', `${name} has files, and no ${ARCHIVE_FILE}`);
  }
  if (found.market !== market) {
    const why = `${name} has the archive of ${found.market}, not of ${market}`;
    throw new Failure('invalid', 'ANOTHER_MARKET', why);
  }
  if (isContinued || found.step === 'done') return found;
  const why = `${name} has a rollback that ended before its step ${found.step}: give --continue`;
  throw new Failure('conflict', 'BEGUN', why);
}

export type WriteArchive = (archive: Archive) => Promise<void>;

/**
 * Makes what writes the file for one command. A command that stood still while `--continue` went on elsewhere would write its
 * earlier step over a later one: a market that is dropped would have an archive without its tables.
 * @throws Failure where the file is no longer what this command wrote
 */
export function createWriteArchive(store: FileStore): WriteArchive {
  let written: Buffer | undefined;
  return async (archive) => {
    const now = await store.find(ARCHIVE_FILE, MANIFEST_BYTES_MAX);
    if (written !== undefined && now?.equals(written) !== true) {
      const why = `another command has gone on with the archive in ${store.name}`;
      throw new Failure('conflict', 'ANOTHER_COMMAND', why);
    }
    written = Buffer.from(`${JSON.stringify(archive, null, 1)}\n`);
    await store.replace(ARCHIVE_FILE, written);
  };
}

export const countRows = (tables: readonly Table[]): number =>
  tables.reduce((sum, { rows }) => sum + rows, 0);

export function yearsFromNow(years: number): Date {
  const time = new Date();
  time.setUTCFullYear(time.getUTCFullYear() + years);
  return time;
}

export const filesOf = (tables: readonly Table[]): string[] =>
  tables.flatMap(({ parts }) => parts.map(({ file }) => file));

/** Removes files that no table names, such as those of an interrupted export. */
export async function removeStrays(
  { list, remove }: FileStore,
  tables: readonly Table[],
  manifest: string,
): Promise<void> {
  const known = new Set([...filesOf(tables), manifest]);
  for (const file of (await list?.()) ?? []) if (!known.has(file)) await remove?.(file);
}
