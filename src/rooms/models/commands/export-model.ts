/** `risk models export`: the artefact as it was imported, and its manifest beside it. */
import { rm, writeFile } from 'node:fs/promises';
import type { Database } from '../../../kit/database/pool.ts';
import { readModel, type StoredModel } from '../store/models.ts';
import { orRefuse } from './model-folder.ts';

type ExportedFiles = { readonly path: string; readonly manifestPath: string };

/** @param out default: the model's name in the current folder. Both files or none; none is overwritten. */
export async function exportModel(
  database: Database,
  { modelId, model, format }: StoredModel,
  out: string | undefined,
): Promise<ExportedFiles> {
  const { artefact, manifest } = await readModel(database, modelId);
  const path = out ?? `${model}.${format === 'lightgbm-text' ? 'txt' : 'json'}`;
  const manifestPath = `${path}.manifest.json`;
  await orRefuse(async () => {
    await writeFile(manifestPath, `${JSON.stringify(manifest)}\n`, { flag: 'wx' });
    try {
      await writeFile(path, artefact, { flag: 'wx' });
    } catch (error) {
      await rm(manifestPath, { force: true });
      throw error;
    }
  });
  return { path, manifestPath };
}
