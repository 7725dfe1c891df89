/** The thread that reads and proves files of models, and takes margins apart exactly. */

import type { ModelManifest } from '../manifest.ts';
import type { Batch } from '../model/batch.ts';
import { treeShap } from '../model/explain-trees.ts';
import type { TreeEnsemble } from '../model/lay-out-trees.ts';
import { answerAside } from './aside.ts';
import { checkModel } from './check-model.ts';

export type ModelWork =
  | { readonly artefact: Uint8Array; readonly manifest: ModelManifest }
  | { readonly ensemble: TreeEnsemble; readonly batch: Batch; readonly margins: Float64Array };

answerAside((work: ModelWork) =>
  'artefact' in work
    ? checkModel(work.artefact, work.manifest)
    : treeShap(work.ensemble, work.batch, work.margins),
);
