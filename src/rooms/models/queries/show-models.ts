/** Registered models as the command and the API show them. */

import { listCorridors } from '../../../core/store/transactions/corridors.ts';
import type { Database } from '../../../kit/database/pool.ts';
import type { ModelDetailJson, ModelJson } from '../model-record.ts';
import { findKnown } from '../registry/registered.ts';
import { PROPOSAL_MS_MAX } from '../rollout/rollout.ts';
import {
  describeRollouts,
  toHoldingRows,
  toProposalRow,
  toRolloutRow,
} from '../rollout/rollout-rows.ts';
import { readSettledRollouts } from '../rollout/settled-rollouts.ts';
import { listModels, readDescription, type StoredModel } from '../store/models.ts';
import { listOpenProposals, type StoredRollout } from '../store/rollouts.ts';

/** Where the next page starts: after this name. */
export async function listModelRows(
  database: Database,
  afterModel: string,
  limit: number,
): Promise<ModelJson[]> {
  const models = await listModels(database, afterModel, limit);
  const log = await readSettledRollouts(database, 'models');
  const corridors = await listCorridors(database);
  return models.map((model) => toRow(model, log, corridors));
}

/** @throws Failure `MODEL_UNKNOWN` */
export async function readModelRow(
  database: Database,
  reference: string,
): Promise<ModelDetailJson> {
  const model = await findKnown(database, reference);
  const { feature_names, lineage, card } = await readDescription(database, model.modelId);
  const log = await readSettledRollouts(database, 'models');
  const open = await listOpenProposals(database, model.modelId, Date.now() - PROPOSAL_MS_MAX);
  return {
    ...toRow(model, log, await listCorridors(database)),
    ...{ feature_names, ...lineage, card, proposals: open.map(toProposalRow) },
    rollouts: log.filter(({ modelId }) => modelId === model.modelId).map(toRolloutRow),
  };
}

function toRow(
  model: StoredModel,
  log: readonly StoredRollout[],
  corridors: readonly string[],
): ModelJson {
  return {
    ...{ model: model.model, model_id: model.modelId, format: model.format },
    ...{ feature_schema: model.featureSchema, features: model.features },
    ...{ artefact_bytes: model.artefactBytes, golden_vectors: model.goldenVectors },
    golden_source: model.goldenSource,
    ...{ created_at: model.createdAt.toISOString(), created_by: model.createdBy },
    does: describeRollouts(log, corridors, model.modelId),
    corridors: toHoldingRows(log, corridors, model.modelId),
  };
}
