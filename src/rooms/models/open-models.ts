/**
 * The seam `models`: registered models that explain and verify but score nothing, so that no check is recorded and a replica
 * suffices. Models never change: each is loaded and proved once in this process.
 */

import { LRUCache } from 'lru-cache';
import { namesStopped } from '../../core/domain/control.ts';
import { MODEL } from '../../core/domain/corridor.ts';
import type { FoundModel, Models } from '../../core/score/judge.ts';
import { isDrawn, lineOf, subjectsInForce } from '../../core/score/rollout/in-force.ts';
import { readControls } from '../../core/store/controls/controls.ts';
import { MODELS, readSettledRollouts } from '../../core/store/rollouts/rollouts.ts';
import type { Database } from '../../kit/database/pool.ts';
import { type Databases, isFound, readFrom } from '../../kit/database/replica/choose-database.ts';
import { isUnavailable, toError } from '../../kit/words/failure.ts';
import { loadModel } from './registry/scoring-model.ts';
import { findModel } from './store/models.ts';

/** Models that stay loaded: with more, an idle process holds more memory; with fewer, verification loads them again. */
const MODELS_MAX = 8;
/** A registered model never changes, so a model read from the replica is current at any lag. */
const ANY_TIME_MS = 0;

export async function openModels(databases: Databases): Promise<Models> {
  const loaded = new LRUCache<string, FoundModel, Database>({
    max: MODELS_MAX,
    ignoreFetchAbort: true,
    fetchMethod: (modelId, _stale, { context }) => tryModel(context, modelId),
  });
  const find = async (reference: string): Promise<FoundModel> => {
    const open = async (database: Database) => {
      const model = await findModel(database.query, reference);
      return model && (await loaded.forceFetch(model.model_id, { context: database }));
    };
    const found = await readFrom(databases, ANY_TIME_MS, open, isFound);
    return found ?? { problem: 'is not registered' };
  };
  return {
    find,
    async findInForce({ corridor, accountId }) {
      const log = await readSettledRollouts(MODELS, databases.primary, 'evaluate');
      const inForce = subjectsInForce(log).get(corridor);
      const line = inForce === undefined ? [] : lineOf(inForce, isDrawn(inForce, accountId));
      const stopped = namesStopped(await readControls(databases.primary), MODEL);
      let degradation: 0 | 1 = 0;
      for (const modelId of line) {
        const found = await find(modelId);
        if (!('model' in found)) degradation = 1;
        else if (!stopped.includes(found.model.name)) return { model: found.model, degradation };
      }
      return { model: null, degradation };
    },
  };
}

async function tryModel(database: Database, modelId: string): Promise<FoundModel> {
  try {
    return { model: await loadModel(database, modelId) };
  } catch (error) {
    if (isUnavailable(error)) throw error;
    return { problem: toError(error).message };
  }
}
