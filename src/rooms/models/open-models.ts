/**
 * The seam `models`: registered models that explain and verify but score nothing, so that no check is recorded and a replica
 * suffices. Models never change: each is loaded and proved once in this process.
 */

import { LRUCache } from 'lru-cache';
import { decidingIn } from '../../core/domain/control.ts';
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
      const controls = await readControls(databases.primary);
      const found = await Promise.all(line.map(find));
      const models = found.map((each) => ('model' in each ? each.model : null));
      const deciding = decidingIn(controls, models);
      const model = deciding.find((each) => each !== null) ?? null;
      return { model, degradation: deciding[0] === null ? 1 : 0 };
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
