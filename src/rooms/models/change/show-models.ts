/** Registered models as the command and the API show them. */
import type { ModelDetailJson, ModelJson } from '../../../core/domain/model-record.ts';
import { PROPOSAL_MS_MAX } from '../../../core/score/rollout/rollout.ts';
import {
  listOpenProposals,
  type StoredRollout,
} from '../../../core/store/models/model-rollouts.ts';
import {
  listModels,
  readDescription,
  type StoredModel,
} from '../../../core/store/models/models.ts';
import { readSettledRollouts } from '../../../core/store/models/settled-rollouts.ts';
import { listCorridors } from '../../../core/store/transactions/corridors.ts';
import type { Database } from '../../../kit/database/pool.ts';
import { findKnown } from './find-known.ts';
import { describeRollouts, toHoldingRows, toProposalRow, toRolloutRow } from './rollout-rows.ts';

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
