/** Puts a model into the registry: checked whole, then stored in one statement. */
import { readSlots } from '../../../core/store/metadata-fields/metadata-fields.ts';
import { recordChange } from '../../../kit/audit/audit-log.ts';
import type { Database, Query } from '../../../kit/database/pool.ts';
import { Failure } from '../../../kit/words/failure.ts';
import { type Actor, ENGINE } from '../../../kit/words/principal.ts';
import type { ModelManifest } from '../manifest.ts';
import type { ModelFile } from '../model/model.ts';
import { findModel, type GoldenSource, insertModel } from '../store/models.ts';
import { openScoringModel } from './scoring-model.ts';

type Registration = {
  readonly artefact: Uint8Array;
  readonly manifest: ModelManifest;
  readonly goldenSource: GoldenSource;
  readonly by: Actor;
  /** Runs in the commit that registers the model. */
  readonly alongside?: (query: Query) => Promise<unknown>;
};

/**
 * `isNew` is false where the same file stands under the same name already.
 * @throws Failure that says why the model is refused; then nothing of it is registered
 */
export async function registerModel(
  database: Database,
  { artefact, manifest, goldenSource, by, alongside }: Registration,
): Promise<{ readonly isNew: boolean; readonly file: ModelFile }> {
  const { file } = openScoringModel(artefact, manifest, await readSlots(database.query));
  const { format } = file;
  const row = { manifest, artefact, format, goldenSource, createdBy: by.name ?? ENGINE };
  const isNew = await database.transaction(async (query) => {
    if (!(await insertModel({ query }, row))) return false;
    const after = { model: manifest.model, format };
    const action = 'model.register';
    await recordChange(query, by, { action, subject: manifest.sha256, before: null, after });
    await alongside?.(query);
    return true;
  });
  if (!isNew) await refuseOther(database, manifest);
  return { isNew, file };
}

/** The same file under the same name is accepted. Anything else would change a model. */
async function refuseOther(database: Database, { model, sha256 }: ModelManifest): Promise<void> {
  const byFile = await findModel(database.query, sha256);
  if (byFile?.model === model) return;
  if (byFile === undefined) refuseName(model);
  throw new Failure('conflict', 'MODEL_EXISTS', `this file is registered as ${byFile.model}`);
}

/** Checks before the training that the name is free. */
export async function refuseTakenName(database: Database, name: string): Promise<void> {
  if ((await findModel(database.query, name)) !== undefined) refuseName(name);
}

function refuseName(name: string): never {
  const why = `${name} is the name of another file: models never change, so give this one a version`;
  throw new Failure('conflict', 'MODEL_EXISTS', why);
}
