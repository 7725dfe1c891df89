/** A model of the usual size that decides in every corridor, as a worker asks it for a batch. */
import type { Transaction } from '../../src/core/domain/transaction.ts';
import type { Opinion } from '../../src/core/score/judge.ts';
import { createMetrics } from '../../src/kit/metrics/metrics.ts';
import {
  judgeBatch,
  type ModelsInForce,
  planBatch,
  type Standing,
} from '../../src/rooms/models/judge/judge-batch.ts';
import { createModelHealth } from '../../src/rooms/models/judge/model-health.ts';
import { openScoringModel } from '../../src/rooms/models/registry/scoring-model.ts';
import { makeTreeModel } from './model-in-force.ts';

export type TreeJudge = (
  transactions: readonly Transaction[],
  vectors: readonly Float64Array[],
) => (Opinion | null)[];

export function createTreeJudge(corridors: readonly string[]): TreeJudge {
  const { artefact, manifest } = makeTreeModel();
  const model = openScoringModel(artefact, manifest);
  const nowMs = () => performance.now();
  const standing: Standing = { health: createModelHealth(nowMs), hopeless: undefined };
  const dependencies = {
    standingOf: () => standing,
    onFailure: (_: unknown, error: unknown) => {
      throw error;
    },
    metrics: createMetrics(),
    note: () => undefined,
    nowMs,
  };
  const wanted = { active: [model.modelId], canary: null, shadows: [] };
  const inForce: ModelsInForce = {
    corridors: new Map(corridors.map((corridor) => [corridor, wanted])),
    models: new Map([[model.modelId, model]]),
  };
  return (transactions, vectors) => {
    const rows = transactions.map((transaction, index) => ({
      transaction,
      vector: vectors[index] as Float64Array,
    }));
    return judgeBatch(dependencies, rows, planBatch(rows, inForce)).judgements.map(
      ({ opinion }) => opinion,
    );
  };
}
