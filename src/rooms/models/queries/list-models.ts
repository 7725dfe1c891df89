/** Registered models as the command and the API show them. */

import { type Holding, holdingText } from '../../../core/score/rollout/holding.ts';
import { holdingsIn } from '../../../core/score/rollout/plan-rollout.ts';
import { readStage } from '../../../core/store/rollouts/decide-rollout.ts';
import {
  MODELS,
  readSettledRollouts,
  type StoredRollout,
} from '../../../core/store/rollouts/rollouts.ts';
import { listCorridors } from '../../../core/store/transactions/transactions.ts';
import type { Database } from '../../../kit/database/pool.ts';
import type { ModelDetailJson, ModelJson } from '../model-record.ts';
import { findKnown, listModels, readDescription, type StoredModel } from '../store/models.ts';

/** A page of models after a name. */
export async function listModelRows(
  database: Database,
  afterModel: string,
  limit: number,
): Promise<ModelJson[]> {
  const models = await listModels(database.query, afterModel, limit);
  const log = await readSettledRollouts(MODELS, database, 'models');
  const corridors = await listCorridors(database);
  return models.map((model) => toRow(model, log, corridors));
}

/** @throws Failure `MODEL_UNKNOWN` */
export async function readModelRow(
  database: Database,
  reference: string,
): Promise<ModelDetailJson> {
  const model = await findKnown(database, reference);
  const { feature_names, lineage, card } = await readDescription(database.query, model.model_id);
  const log = await readSettledRollouts(MODELS, database, 'models');
  return {
    ...toRow(model, log, await listCorridors(database)),
    feature_names,
    ...lineage,
    card,
    stage: await readStage(database, log, model.model_id),
    rollouts: log.filter(({ subject }) => subject === model.model_id).map(toRolloutRow),
  };
}

function toRow(
  model: StoredModel,
  log: readonly StoredRollout[],
  corridors: readonly string[],
): ModelJson {
  const holdings = corridors.map((corridor) => ({
    corridor,
    holding: holdingsIn(log, corridor).get(model.model_id),
  }));
  return {
    ...model,
    created_at: model.created_at.toISOString(),
    does: describeHoldings(holdings),
    corridors: holdings.flatMap(({ corridor, holding }) => {
      if (holding === undefined) return [];
      return { corridor, state: holding.state, canary_percent: holding.canary_percent };
    }),
  };
}

/** Corridors by what the model does there, as `active US-EG; shadow US-IN, US-MX`, or `shadow all`. */
function describeHoldings(
  holdings: readonly { readonly corridor: string; readonly holding: Holding | undefined }[],
): string {
  const byState = Map.groupBy(holdings, ({ holding }) =>
    holding ? holdingText(holding) : 'staged',
  );
  if (byState.size === 1) return `${[...byState.keys()].join()} all`;
  return [...byState]
    .filter(([state]) => state !== 'staged')
    .map(([state, where]) => `${state} ${where.map(({ corridor }) => corridor).join(', ')}`)
    .join('; ');
}

const toRolloutRow = ({ subject: _, name: __, hasLapsed: ___, ...row }: StoredRollout) => row;
