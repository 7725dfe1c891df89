/** The manifest of an archived month: its file `archive.json`, and the row of market.archived_months. */
import { z } from 'zod';
import { tableSchema } from '../archive-file.ts';
import type { Stored } from '../export-table.ts';
import type { FileStore } from '../file-stores/file-store.ts';

export const manifestSchema = z.object({
  format: z.literal(1),
  market: z.string(),
  month: z.string(),
  number: z.int().meta({ description: 'Number of the archive among those of the month, from 1.' }),
  encryption: z.enum(['aes-256-gcm', 'none']),
  begun_at: z.string(),
  lock_until: z.string(),
  migrations: z.array(z.string()),
  evidence: z.string().nullable().meta({
    description: 'Checkpoint of the log of evidence, as it was when the files had been read back.',
  }),
  tables: z.array(tableSchema),
});
export type Manifest = z.infer<typeof manifestSchema>;

/** Writes the manifest with its keys in the order of the schema, so a manifest from Postgres has the same bytes. */
export const manifestBytes = (manifest: Manifest): Buffer =>
  Buffer.from(`${JSON.stringify(manifestSchema.parse(manifest), null, 1)}\n`);

/** The files of an archived month. */
export function storedOf(
  { market, month, number }: Pick<Manifest, 'market' | 'month' | 'number'>,
  store: FileStore,
  key: Buffer | null,
): Stored {
  return { store, archive: `${market}/${month}/${number}`, key };
}
