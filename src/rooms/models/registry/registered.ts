/** A registered model, by the name that a person gives or by its id. */
import type { Database } from '../../../kit/database/pool.ts';
import { given } from '../../../kit/words/describe-issue.ts';
import { Failure } from '../../../kit/words/failure.ts';
import { VISIBLE_ASCII } from '../../../kit/words/visible-ascii.ts';
import { findModel, readModel, type StoredModel } from '../store/models.ts';
import { openScoringModel, type ScoringModel } from './scoring-model.ts';

/**
 * @param reference SHA-256 or `name@version`
 * @throws Failure `MODEL_UNKNOWN`
 */
export async function findKnown(database: Database, reference = ''): Promise<StoredModel> {
  // A SHA-256 and a name hold printable ASCII only; Postgres refuses a NUL.
  const model = VISIBLE_ASCII.test(reference) ? await findModel(database, reference) : undefined;
  if (model !== undefined) return model;
  throw new Failure('not-found', 'MODEL_UNKNOWN', `no model is registered as ${given(reference)}`);
}

/**
 * Reads a registered model and proves it in this process.
 * @throws Failure `MODEL_CORRUPT`, `MODEL_INVALID` or `unavailable`
 */
export async function loadModel(database: Database, modelId: string): Promise<ScoringModel> {
  const { artefact, manifest } = await readModel(database, modelId);
  return openScoringModel(artefact, manifest);
}
