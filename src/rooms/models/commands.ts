/** `risk models`: decides about models and shows them over a running API; imports, exports and trains on the database. */

import { rm, writeFile } from 'node:fs/promises';
import { commandOf, written } from '../../kit/command/rows.ts';
import { openCommandDatabase } from '../../kit/command/stores.ts';
import { importAction } from './commands/import-model.ts';
import { orRefuse } from './commands/model-folder.ts';
import { trainAction } from './commands/train.ts';
import { findKnown, readModel } from './store/models.ts';

const OPTIONS = {
  '--out FILE': "Where it writes (the model's name in the current folder)",
} as const;

/** Writes the artefact as it was imported, and its manifest beside it. */
const exportAction = written(
  'MODEL',
  'Write the file of a model and its manifest; both or none, and no file is overwritten',
  OPTIONS,
  async ({ values, words: [reference] }, context) => {
    await using database = openCommandDatabase(context, 'models');
    const { model_id, model, format } = await findKnown(database, reference);
    const { artefact, manifest } = await readModel(database, model_id);
    const path = values.out ?? `${model}.${format === 'lightgbm-text' ? 'txt' : 'json'}`;
    const manifestPath = `${path}.manifest.json`;
    await orRefuse(async () => {
      await writeFile(manifestPath, `${JSON.stringify(manifest)}\n`, { flag: 'wx' });
      try {
        await writeFile(path, artefact, { flag: 'wx' });
      } catch (error) {
        await rm(manifestPath, { force: true });
        throw error;
      }
    });
    context.output.value({ model, path, manifest: manifestPath }, [
      `${model} written to ${path}`,
      `its manifest written to ${manifestPath}`,
    ]);
  },
);

export const command = commandOf({
  name: 'models',
  summary: 'Trains and registers models, rolls them out and back, watches them.',
  notes: `MODEL is a name (baseline@2026-11-01) or a SHA-256. FILE is XGBoost JSON, LightGBM text or logistic JSON.
A model is staged, then shadow, canary, active, in steps; another one that becomes active deprecates it.
import, export and train need DATABASE_URL. import, train, promote, emergency and rollback need in RISK_API_KEY the key of a
confirmed risk officer, who acts by it. Another person confirms what is proposed (risk approvals). An emergency ends by itself
unless another person confirms it within a day; a corridor has no second one until two people have decided.

train reads the features that were logged with the scores of a window, and what was known of them by a time; it trains,
calibrates, chooses bands, writes model, manifest and card to a folder and registers the model as staged. Dates are
inclusive, UTC. The same rows, settings and seed give the same file.

Example: risk models import fraud.json --name fraud@1
Example: risk models train --from 2026-08-01 --to 2026-10-24 --validate-from 2026-10-25 --validate-to 2026-10-31 \\
           --known-by 2026-11-08`,
  document: async () => (await import('./routes.ts')).document,
  actions: {
    list: {
      operation: 'listModels',
      columns: [
        'model',
        'does',
        'format',
        { field: 'feature_schema', title: 'schema' },
        'features',
        'created_at',
        'created_by',
        { field: 'model_id', title: 'sha-256' },
      ],
    },
    import: importAction,
    export: exportAction,
    train: trainAction,
    promote: { operation: 'proposeModel' },
    watch: {
      operation: 'readModelWatch',
      columns: [
        'model',
        'watched_at',
        'level',
        'rows',
        { field: 'score.psi', title: 'psi' },
        { field: 'outcomes.labelled', title: 'labelled' },
        { field: 'outcomes.frauds', title: 'frauds' },
        { field: 'outcomes.review.precision.value', title: 'precision' },
        { field: 'outcomes.review.recall.value', title: 'recall' },
      ],
    },
  },
});
