/** Registered models, bound to the registry: loaded and proved in this process. */
import { version as NODE_VERSION } from 'node:process';
import type { Database } from '../../kit/database/pool.ts';
import { ENGINE, engineOf } from '../../kit/words/principal.ts';
import type { Rollout } from '../domain/model-rollout.ts';
import { loadModel } from '../read/model-cache.ts';
import { planRemoval } from '../score/rollout/rollout.ts';
import { insertModelCheck } from '../store/models/model-checks.ts';
import { decideRollouts, readNewestRollout } from '../store/models/model-rollouts.ts';
import { readSettledRollouts } from '../store/models/settled-rollouts.ts';
import { insertShadowBatch, type ShadowBatch } from '../store/scores/shadow-batches.ts';

/** @param process name of the process in its log */
export function bindModels(database: Database, process: string) {
  const engine = engineOf(process);
  return {
    readNewestRollout: () => readNewestRollout(database),
    readRollouts: (): Promise<readonly Rollout[]> => readSettledRollouts(database, process),
    load: (modelId: string) => loadModel(database, modelId),
    recordCheck: (modelId: string, detail: string | null) =>
      insertModelCheck(database, { modelId, process, nodeVersion: NODE_VERSION, detail }),
    /** False where the model no longer decides: a person or another worker was faster. */
    async rollBack(corridor: string, modelId: string, reason: string): Promise<boolean> {
      const { rows } = await decideRollouts(database, async (log) => ({
        rows: planRemoval(log, corridor, modelId),
        ...{ proposalId: null, proposedBy: ENGINE, approvedBy: null, by: engine, reason },
      }));
      return rows.length > 0;
    },
    storeShadow: (shadow: ShadowBatch, scoredAtMs: number) =>
      insertShadowBatch(database, shadow, scoredAtMs),
  };
}
