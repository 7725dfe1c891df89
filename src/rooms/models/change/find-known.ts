/** The model that an operator names. */
import { findModel, type StoredModel } from '../../../core/store/models/models.ts';
import type { Database } from '../../../kit/database/pool.ts';
import { Failure } from '../../../kit/words/failure.ts';
import { VISIBLE_ASCII } from '../../../kit/words/visible-ascii.ts';

/** @param reference SHA-256 or `name@version` */
export async function findKnown(database: Database, reference = ''): Promise<StoredModel> {
  // A SHA-256 and a name hold printable ASCII only; Postgres refuses a NUL.
  const model = VISIBLE_ASCII.test(reference) ? await findModel(database, reference) : undefined;
  if (model !== undefined) return model;
  throw new Failure('not-found', 'MODEL_UNKNOWN', `no model is registered as '${reference}'`);
}
