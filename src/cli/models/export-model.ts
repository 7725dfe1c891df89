/** `risk models export`: the artefact as it was imported, and its manifest beside it. */
import { writeFile } from 'node:fs/promises';
import { Failure } from '../../domain/failure.ts';
import { readModel, type StoredModel } from '../../store/models.ts';
import type { Database } from '../../store/pool.ts';

export type ExportedFiles = { readonly path: string; readonly manifestPath: string };

/** @param out default: the model's name in the current folder. No file is overwritten. */
export async function exportModel(
  database: Database,
  { modelId, model, format }: StoredModel,
  out: string | undefined,
): Promise<ExportedFiles> {
  const { artefact, manifest } = await readModel(database, modelId);
  const path = out ?? `${model}.${format === 'lightgbm-text' ? 'txt' : 'json'}`;
  const manifestPath = `${path}.manifest.json`;
  await write(path, artefact);
  await write(manifestPath, `${JSON.stringify(manifest)}\n`);
  return { path, manifestPath };
}

async function write(path: string, content: Buffer | string): Promise<void> {
  try {
    await writeFile(path, content, { flag: 'wx' });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Failure('invalid', 'NOT_WRITTEN', why, { cause: error });
  }
}
