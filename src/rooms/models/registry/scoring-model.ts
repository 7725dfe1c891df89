/** A registered model as scoring, verification and explanations use it. */
import { z } from 'zod';
import type { ExplanationMethod } from '../../../core/domain/explanation.ts';
import { factorSentence } from '../../../core/score/factor-sentence.ts';
import type { JudgingModel, OpinionBands } from '../../../core/score/judge.ts';
import type { Database } from '../../../kit/database/pool.ts';
import { Failure } from '../../../kit/words/failure.ts';
import type { ModelManifest } from '../manifest.ts';
import { gatherBatch } from '../model/batch.ts';
import { refuse } from '../model/bounds.ts';
import type { Model, ModelFormat } from '../model/model.ts';
import { readModel } from '../store/models.ts';
import { checkModel } from './check-model.ts';

type ScoringModel = JudgingModel & { readonly format: ModelFormat };

/** Most factors that become reasons of one score. */
const FACTORS_MAX = 4;

/**
 * Checks hash, feature schema and golden vectors in this process; a model that fails may not score.
 * @throws Failure `MODEL_INVALID`
 */
export function openScoringModel(artefact: Uint8Array, manifest: ModelManifest): ScoringModel {
  const { model, columns } = checkModel(artefact, manifest);
  const bands = bandsOf(manifest.card);
  const topFactors = (vector: Float64Array) =>
    takeApart(model, columns, vector, 'path')
      .contributions.filter(({ contribution }) => contribution > 0)
      .sort((a, b) => b.contribution - a.contribution)
      .slice(0, FACTORS_MAX);
  return {
    modelId: model.sha256,
    name: manifest.model,
    format: model.format,
    judge(vectors) {
      const margins = model.marginOf(gatherBatch(vectors, columns));
      return vectors.map((vector, row) => {
        const probability = model.probabilityOf(margins[row] ?? Number.NaN);
        if (probability >= 0 && probability <= 1) {
          return { probability, bands, factors: () => topFactors(vector) };
        }
        throw new Failure('transient', 'MODEL_OUTPUT', `${manifest.model} gives ${probability}`);
      });
    },
    explain(vector, method) {
      const { contributions, ...parts } = takeApart(model, columns, vector, method);
      return {
        model: manifest.model,
        method,
        ...parts,
        contributions: contributions
          .sort((a, b) => Math.abs(b.contribution) - Math.abs(a.contribution))
          .map(({ feature, value, contribution }) => ({
            feature,
            value: Number.isFinite(value) ? value : null,
            contribution,
            detail: factorSentence({ feature, value }),
          })),
      };
    },
  };
}

/**
 * Reads a registered model and proves it in this process.
 * @throws Failure `MODEL_CORRUPT`, `MODEL_INVALID` or `unavailable`
 */
export async function loadModel(database: Database, modelId: string): Promise<ScoringModel> {
  const { artefact, manifest } = await readModel(database, modelId);
  return openScoringModel(artefact, manifest);
}

/** The margin of one vector; its contributions are in the order of the model's features. */
function takeApart(
  model: Model,
  columns: Int32Array,
  vector: Float64Array,
  method: ExplanationMethod,
) {
  const batch = gatherBatch([vector], columns);
  const margins = model.marginOf(batch);
  const { base, values } = model.contributionsOf(batch, margins, method);
  const margin = margins[0] ?? Number.NaN;
  const contributions = model.featureNames.map((feature, index) => ({
    feature,
    value: batch.values[index] ?? Number.NaN,
    contribution: values[index] ?? 0,
  }));
  const probability = model.probabilityOf(margin);
  return { base: base[0] ?? Number.NaN, margin, probability, contributions };
}

const cardBands = z
  .object({ reviewFrom: z.number().positive(), declineFrom: z.number() })
  .refine(({ reviewFrom, declineFrom }) => reviewFrom <= declineFrom)
  .nullish();

/** Where a card has no bands, the rule set's decide. */
export function bandsOf(card: ModelManifest['card']): OpinionBands | null {
  const { success, data = null } = cardBands.safeParse(card?.['bands']);
  if (success) return data;
  return refuse('card.bands', 'must be reviewFrom and declineFrom, rising from above 0');
}
