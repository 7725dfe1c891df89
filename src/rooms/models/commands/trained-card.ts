/** The card and the manifest of a model that was trained here. */

import { createRandom } from '../../../kit/random.ts';
import { type ModelManifest, modelManifestSchema } from '../manifest.ts';
import { describeModel } from '../registry/check-model.ts';
import type { BuiltModel } from '../training/build-model.ts';
import type { DataWindow, ModelCard } from '../training/card/model-card.ts';
import type { Trainer } from '../training/fit-artefact.ts';
import type { TrainSettings } from './train-options.ts';

export type Origin = {
  /** Settings of the trainer, with the defaults for this number of frauds. */
  readonly trainer: Trainer;
  readonly windows: { readonly training: DataWindow; readonly validation: DataWindow | null };
  readonly lineage: Pick<ModelCard, 'codeVersion' | 'parent' | 'createdAt'>;
};

export function toCard(
  { name, seed, bandsRule, featureSchema }: TrainSettings,
  { model, size, calibration, judged }: BuiltModel,
  { trainer, windows, lineage }: Origin,
): ModelCard {
  return {
    ...{ id: name, kind: trainer.kind, sha256: model.sha256 },
    ...lineage,
    ...{ featureSchema, seed, options: { ...trainer.options }, size },
    ...windows,
    ...judged,
    ...{ calibration, bandsRule },
  };
}

/** @throws ZodError for a manifest that could not be imported elsewhere */
export function toManifest(card: ModelCard, { bytes, calibration }: BuiltModel): ModelManifest {
  const { from, to, knownBy } = card.training;
  const lineage = {
    trained: { from, to, known_by: knownBy },
    ...{ code_version: card.codeVersion, parent: card.parent },
  };
  const told = { feature_schema: card.featureSchema, calibration, lineage, card };
  return modelManifestSchema.parse(describeModel(bytes, card.id, createRandom('golden'), told));
}
