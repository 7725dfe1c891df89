/**
 * The file `archive.json` of a market's archive: its tables, and the next step of the rollback. Each step replaces the file as a
 * whole, so `--continue` finds the step.
 */
import { mkdir, readdir, readFile, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { Failure, toError } from '../../kit/words/failure.ts';
import { writeDurably } from './file-stores/folder.ts';

export const ARCHIVE_FILE = 'archive.json';

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
});
export type Archive = z.infer<typeof archiveSchema>;

async function findArchive(folder: string): Promise<Archive | undefined> {
  const path = join(folder, ARCHIVE_FILE);
  try {
    return archiveSchema.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (error) {
    if (Object(error).code === 'ENOENT') return undefined;
    const why = `${path} is no archive of this release: ${toError(error).message}`;
    throw new Failure('invalid', 'NOT_AN_ARCHIVE', why);
  }
}

/** The archive to continue; undefined where a new archive begins. @throws Failure where the options want neither */
export async function openArchive(
  folder: string,
  market: string,
  isContinued: boolean,
): Promise<Archive | undefined> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const found = await findArchive(folder);
  if (found === undefined) {
    const files = await readdir(folder);
    const isBegun = files.some((file) => !file.endsWith('.partial'));
    if (!isBegun) return undefined;
    throw new Failure('invalid', 'NOT_EMPTY', `${folder} has files, and no ${ARCHIVE_FILE}`);
  }
  if (found.market !== market) {
    const why = `${folder} has the archive of ${found.market}, not of ${market}`;
    throw new Failure('invalid', 'ANOTHER_MARKET', why);
  }
  if (isContinued || found.step === 'done') return found;
  const why = `${folder} has a rollback that ended before its step ${found.step}: give --continue`;
  throw new Failure('conflict', 'BEGUN', why);
}

export type WriteArchive = (archive: Archive) => Promise<void>;

/**
 * Makes what writes the file for one command. A command that stood still while `--continue` went on elsewhere would write its
 * earlier step over a later one: a market that is dropped would have an archive without its tables.
 * @throws Failure where the file is no longer what this command wrote
 */
export function createWriteArchive(folder: string): WriteArchive {
  const path = join(folder, ARCHIVE_FILE);
  let written: string | undefined;
  return async (archive) => {
    if (written !== undefined && (await readFile(path, 'utf8')) !== written) {
      const why = `another command has gone on with the archive in ${folder}`;
      throw new Failure('conflict', 'ANOTHER_COMMAND', why);
    }
    written = `${JSON.stringify(archive, null, 1)}\n`;
    await writeDurably(`${path}.partial`, Buffer.from(written));
    await rename(`${path}.partial`, path);
  };
}

/** Removes files of an interrupted export, which no table names. */
export async function removeStrays(folder: string, tables: readonly Table[]): Promise<void> {
  const known = new Set(tables.flatMap(({ parts }) => parts.map(({ file }) => file)));
  known.add(ARCHIVE_FILE);
  for (const file of await readdir(folder)) {
    if (!known.has(file)) await unlink(join(folder, file));
  }
}
