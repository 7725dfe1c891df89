/** Registered models as the command and the API show them. */
import type { ModelDetailJson, ModelJson } from '../../domain/model-record.ts';
import { listCorridors } from '../../store/corridors.ts';
import { listOpenProposals, readRollouts } from '../../store/model-rollouts.ts';
import { listModels, readModel, type StoredModel } from '../../store/models.ts';
import type { Database } from '../../store/pool.ts';
import { findKnown } from './find-known.ts';
import { describeRollouts, toHoldingRows, toProposalRow, toRolloutRow } from './rollout-rows.ts';

/** A page after a name. */
export async function listModelRows(
  database: Database,
  afterModel: string,
  limit: number,
): Promise<ModelJson[]> {
  const models = await listModels(database, afterModel, limit);
  const toRow = await rowMaker(database);
  return models.map(toRow);
}

/** @throws Failure `MODEL_UNKNOWN` */
export async function readModelRow(
  database: Database,
  reference: string,
): Promise<ModelDetailJson> {
  const model = await findKnown(database, reference);
  const { manifest } = await readModel(database, model.modelId);
  const { feature_names, lineage, card } = manifest;
  const log = await readRollouts(database);
  const open = await listOpenProposals(database, model.modelId);
  return {
    ...(await rowMaker(database))(model),
    ...{ feature_names, ...lineage, card, proposals: open.map(toProposalRow) },
    rollouts: log.filter(({ modelId }) => modelId === model.modelId).map(toRolloutRow),
  };
}

async function rowMaker(database: Database): Promise<(model: StoredModel) => ModelJson> {
  const log = await readRollouts(database);
  const corridors = await listCorridors(database);
  return (model) => ({
    ...{ model: model.model, model_id: model.modelId, format: model.format },
    ...{ feature_schema: model.featureSchema, features: model.features },
    ...{ artefact_bytes: model.artefactBytes, golden_vectors: model.goldenVectors },
    golden_source: model.goldenSource,
    ...{ created_at: model.createdAt.toISOString(), created_by: model.createdBy },
    does: describeRollouts(log, corridors, model.modelId),
    corridors: toHoldingRows(log, corridors, model.modelId),
  });
}
