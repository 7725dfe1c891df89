/** Registered models, bound to the registry: loaded, proved and put on record in this process. */
import { version as NODE_VERSION } from 'node:process';
import { openScoringModel, type ScoringModel } from '../models/registry/scoring-model.ts';
import { planRemoval, type Rollout } from '../models/rollout/rollout.ts';
import { insertModelCheck } from '../store/model-checks.ts';
import { decideRollouts, readNewestRollout, readRollouts } from '../store/model-rollouts.ts';
import { readModel } from '../store/models.ts';
import type { Database } from '../store/pool.ts';
import { insertShadowBatch, type ShadowBatch } from '../store/shadow-batches.ts';

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
