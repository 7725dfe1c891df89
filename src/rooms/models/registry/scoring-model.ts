/** A registered model as scoring, verification and explanations use it. */

import type { ExplanationMethod, ModelExplanation } from '../../../core/domain/explanation.ts';
import { FEATURE_LIST } from '../../../core/domain/feature-schema.ts';
import { factorSentence } from '../../../core/score/factor-sentence.ts';
import type { Factor, JudgingModel, OpinionBands } from '../../../core/score/judge.ts';
import { Failure } from '../../../kit/words/failure.ts';
import type { ModelManifest } from '../manifest.ts';
import { gatherBatch } from '../model/batch.ts';
import { refuse } from '../model/bounds.ts';
import type { Model, ModelFormat } from '../model/model.ts';
import { bindFeatures } from '../model/model.ts';
import { checkModel } from './check-model.ts';

export type ScoringModel = JudgingModel & { readonly format: ModelFormat };

type MarginParts = Pick<ModelExplanation, 'base' | 'margin' | 'probability'> & {
  /** In the order of the model's features. */
  readonly contributions: readonly Factor[];
};

/** Most factors that become reasons of one score. */
const FACTORS_MAX = 4;
const ENGINE_FEATURES = FEATURE_LIST.map(({ name }) => name);

/**
 * Checks hash, feature schema and golden vectors in this process; a model that fails may not score.
 * @throws Failure `MODEL_INVALID`
 */
export function openScoringModel(artefact: Uint8Array, manifest: ModelManifest): ScoringModel {
  const model = checkModel(artefact, manifest);
  const columns = bindFeatures(model, ENGINE_FEATURES);
  const bands = bandsOf(manifest.card);
  return {
    modelId: model.sha256,
    name: manifest.model,
    format: model.format,
    judge(vectors) {
      const margins = model.marginOf(gatherBatch(vectors, columns));
      return vectors.map((vector, row) => {
        const probability = model.probabilityOf(margins[row] ?? Number.NaN);
        if (!(probability >= 0 && probability <= 1)) {
          throw new Failure('transient', 'MODEL_OUTPUT', `${manifest.model} gives ${probability}`);
        }
        const factors = () => topFactors(takeApart(model, columns, vector, 'path'));
        return { probability, bands, factors };
      });
    },
    explain(vector, method) {
      const { contributions, ...parts } = takeApart(model, columns, vector, method);
      return {
        ...{ model: manifest.model, method, ...parts },
        contributions: contributions
          .toSorted((a, b) => Math.abs(b.contribution) - Math.abs(a.contribution))
          .map(({ feature, value, contribution }) => ({
            ...{ feature, value: Number.isFinite(value) ? value : null, contribution },
            detail: factorSentence({ feature, value }),
          })),
      };
    },
  };
}

function takeApart(
  model: Model,
  columns: Int32Array,
  vector: Float64Array,
  method: ExplanationMethod,
): MarginParts {
  const batch = gatherBatch([vector], columns);
  const margins = model.marginOf(batch);
  const { base, values } = model.contributionsOf(batch, margins, method);
  const margin = margins[0] ?? Number.NaN;
  return {
    margin,
    probability: model.probabilityOf(margin),
    base: base[0] ?? Number.NaN,
    contributions: model.featureNames.map((feature, index) => ({
      feature,
      value: batch.values[index] ?? Number.NaN,
      contribution: values[index] ?? 0,
    })),
  };
}

function topFactors({ contributions }: MarginParts): Factor[] {
  return contributions
    .filter(({ contribution }) => contribution > 0)
    .sort((a, b) => b.contribution - a.contribution)
    .slice(0, FACTORS_MAX);
}

/** Where a card has no bands, the rule set's decide. */
export function bandsOf(card: ModelManifest['card']): OpinionBands | null {
  const bands = card?.['bands'] ?? null;
  if (bands === null) return null;
  if (typeof bands === 'object' && 'reviewFrom' in bands && 'declineFrom' in bands) {
    const { reviewFrom, declineFrom } = bands;
    if (typeof reviewFrom === 'number' && typeof declineFrom === 'number') {
      if (reviewFrom > 0 && reviewFrom <= declineFrom) return { reviewFrom, declineFrom };
    }
  }
  return refuse('card.bands', 'must be reviewFrom and declineFrom, rising from above 0');
}
