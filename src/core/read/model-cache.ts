/** Registered models that explain and verify but score nothing: loaded and proved in this process, the last few kept. */
import { LRUCache } from 'lru-cache';
import type { Database } from '../../kit/database/pool.ts';
import { type Databases, isFound, readFrom } from '../../kit/database/replica/choose-database.ts';
import { isUnavailable, toError } from '../../kit/words/failure.ts';
import { openScoringModel, type ScoringModel } from '../score/models/registry/scoring-model.ts';
import { findModel, readModel } from '../store/models/models.ts';

/** How many models are kept ready for explanations, what-ifs and verification. */
const MODELS_MAX = 8;
/** A registered model never changes, so a model read from the replica is current at any lag. */
const ANY_TIME_MS = 0;

type CachedModel =
  | { readonly model: ScoringModel }
  /** Why the model is not available. */
  | { readonly problem: string };
/** @param reference SHA-256 or `name@version`. Throws a Failure `unavailable`. */
export type ModelCache = (reference: string) => Promise<CachedModel>;

/**
 * Models never change: each is loaded and proved once. These models score nothing, so no model check is stored
 * and a replica suffices.
 */
export function createModelCache(databases: Databases): ModelCache {
  const kept = new LRUCache<string, Promise<CachedModel>>({ max: MODELS_MAX });
  const keep = async (modelId: string, database: Database) => {
    const known = kept.get(modelId) ?? openCached(database, modelId);
    kept.set(modelId, known);
    try {
      return await known;
    } catch (error) {
      kept.delete(modelId);
      throw error;
    }
  };
  return async (reference) => {
    const open = async (database: Database) => {
      const model = await findModel(database, reference);
      return model && (await keep(model.modelId, database));
    };
    const found = await readFrom(databases, ANY_TIME_MS, open, isFound);
    return found ?? { problem: 'is not registered' };
  };
}

async function openCached(database: Database, modelId: string): Promise<CachedModel> {
  try {
    return { model: await loadModel(database, modelId) };
  } catch (error) {
    if (isUnavailable(error)) throw error;
    return { problem: toError(error).message };
  }
}

/** Reads a registered model and proves it in this process. @throws Failure `MODEL_CORRUPT`, `MODEL_INVALID` or `unavailable` */
export async function loadModel(database: Database, modelId: string): Promise<ScoringModel> {
  const { artefact, manifest } = await readModel(database, modelId);
  return openScoringModel(artefact, manifest);
}
