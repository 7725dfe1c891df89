/** Registered models, bound to the registry: loaded, proved and put on record in this process. */
import { version as NODE_VERSION } from 'node:process';
import { LRUCache } from 'lru-cache';
import { isUnavailable, toError } from '../domain/failure.ts';
import type { Rollout } from '../domain/model-rollout.ts';
import { openScoringModel, type ScoringModel } from '../models/registry/scoring-model.ts';
import { planRemoval } from '../models/rollout/rollout.ts';
import { insertModelCheck } from '../store/model-checks.ts';
import { decideRollouts, readNewestRollout, readRollouts } from '../store/model-rollouts.ts';
import { findModel, readModel } from '../store/models.ts';
import type { Database } from '../store/pool.ts';
import { insertShadowBatch, type ShadowBatch } from '../store/shadow-batches.ts';

/** Models kept ready by who is asked about many: explanations, what-ifs, verification. */
const SHELF_MODELS = 8;

export type ShelvedModel =
  | { readonly model: ScoringModel }
  /** Why it cannot be asked. */
  | { readonly problem: string };
/** @param name `name@version`. Throws a Failure `unavailable`. */
export type ModelShelf = (name: string) => Promise<ShelvedModel>;

/** Loads, proves and puts on record what is asked for, once; models never change. */
export function createModelShelf(
  database: Database,
  { load, recordCheck }: Pick<ReturnType<typeof bindModels>, 'load' | 'recordCheck'>,
): ModelShelf {
  const kept = new LRUCache<string, Promise<ShelvedModel>>({ max: SHELF_MODELS });
  const open = async (name: string): Promise<ShelvedModel> => {
    const found = await findModel(database, name);
    if (found === undefined) {
      // It may be in a moment.
      kept.delete(name);
      return { problem: 'is not registered' };
    }
    try {
      const model = await load(found.modelId);
      await recordCheck(found.modelId, null);
      return { model };
    } catch (error) {
      if (isUnavailable(error)) throw error;
      const { message } = toError(error);
      await recordCheck(found.modelId, message);
      return { problem: message };
    }
  };
  return async (name) => {
    const known = kept.get(name) ?? open(name);
    kept.set(name, known);
    try {
      return await known;
    } catch (error) {
      kept.delete(name);
      throw error;
    }
  };
}

/** Who rolls back where no person did; no key needs this name as its owner. */
const ENGINE = 'engine';

/** @param process as it names itself in its log */
export function bindModels(database: Database, process: string) {
  return {
    readNewestRollout: () => readNewestRollout(database),
    readRollouts: (): Promise<readonly Rollout[]> => readRollouts(database),
    /** @throws Failure `MODEL_CORRUPT`, `MODEL_INVALID` or `unavailable` */
    async load(modelId: string): Promise<ScoringModel> {
      const { artefact, manifest } = await readModel(database, modelId);
      return openScoringModel(artefact, manifest);
    },
    recordCheck: (modelId: string, detail: string | null) =>
      insertModelCheck(database, { modelId, process, nodeVersion: NODE_VERSION, detail }),
    /** False where it no longer decides: a person, or another worker, was faster. */
    async rollBack(corridor: string, modelId: string, reason: string): Promise<boolean> {
      const { rows } = await decideRollouts(database, async (log) => ({
        rows: planRemoval(log, corridor, modelId),
        ...{ proposalId: null, proposedBy: ENGINE, approvedBy: null, reason },
      }));
      return rows.length > 0;
    },
    storeShadow: (shadow: ShadowBatch, scoredAtMs: number) =>
      insertShadowBatch(database, shadow, scoredAtMs),
  };
}
