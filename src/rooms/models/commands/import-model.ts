/** `risk models import`: a file is checked whole, then stored in one statement, or refused with the reason. */
import { basename } from 'node:path';
import { readSlots } from '../../../core/store/metadata-fields/metadata-fields.ts';
import { UsageError } from '../../../kit/command/command.ts';
import { readBounded } from '../../../kit/command/data-file.ts';
import { written } from '../../../kit/command/rows.ts';
import { openCommandDatabase } from '../../../kit/command/stores.ts';
import { createRandom } from '../../../kit/random.ts';
import { DESCRIBED, issueText } from '../../../kit/words/describe-issue.ts';
import { jsonPointer } from '../../../kit/words/field-errors.ts';
import { type ModelManifest, modelManifestSchema, modelName } from '../manifest.ts';
import { MODEL_BYTES_MAX, refuse, SHAPLEY_STEPS_MAX } from '../model/bounds.ts';
import { describeModel } from '../registry/check-model.ts';
import { registerModel } from '../registry/register-model.ts';
import { readOfficer } from './officer.ts';

/** A thousand vectors of a thousand features, as text. */
const MANIFEST_BYTES_MAX = 32 * 1024 * 1024;

const OPTIONS = {
  '--manifest FILE':
    'What goes with the file (FILE.manifest.json where there is one); without it golden vectors are recorded here',
  '--name MODEL': "Name of a file without a manifest (the file's name and today's date)",
} as const;

export const importAction = written(
  'FILE',
  'Check a model file and register it',
  OPTIONS,
  async ({ values, words: [path = ''] }, context) => {
    await using database = openCommandDatabase(context, 'models');
    const by = await readOfficer(database, context.config, 'import');
    const artefact = await readBounded(path, MODEL_BYTES_MAX);
    const given = await readManifest(path, values.manifest);
    if (given !== undefined && values.name !== undefined && values.name !== given.model) {
      throw new UsageError(`the manifest names it ${given.model}, not ${values.name}`);
    }
    const slots = await readSlots(database.query);
    const name = values.name ?? nameOf(path);
    const manifest =
      given ?? describeModel(artefact, name, createRandom('golden'), undefined, slots);
    const goldenSource = given === undefined ? 'import' : 'manifest';
    const registered = await registerModel(database, { artefact, manifest, by, goldenSource });
    const { isNew, file } = registered;
    const trees = 'trees' in file ? file.trees : null;
    const steps = trees?.shapleySteps ?? 0;
    const scoring = trees?.ensemble.roots.length ?? 0;
    const inFile = trees?.ensemble.treesInFile ?? scoring;
    const { model, sha256, golden_vectors } = manifest;
    const vectors = golden_vectors.length;
    const counts = { trees: scoring, trees_in_file: inFile, shapley_steps: steps };
    context.output.value(
      { model, model_id: sha256, golden_vectors: vectors, is_new: isNew, ...counts },
      [
        `${model} ${isNew ? 'is registered' : 'was registered already'}, ${sha256}`,
        ...(trees ? [`${scoring} of ${inFile} trees score, as in predict_proba`] : []),
        `${vectors} golden vectors passed three times, bit for bit`,
        `an exact explanation of a score takes ${steps} steps, and at most ${SHAPLEY_STEPS_MAX} are allowed`,
      ],
    );
  },
);

async function readManifest(
  modelPath: string,
  given: string | undefined,
): Promise<ModelManifest | undefined> {
  const path = given ?? `${modelPath}.manifest.json`;
  const bytes = await readBounded(path, MANIFEST_BYTES_MAX).catch((error: unknown) => {
    // A file without a manifest beside it is imported without one.
    if (given === undefined && Object(Object(error).cause).code === 'ENOENT') return undefined;
    throw error;
  });
  if (bytes === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return refuse(path, 'is no JSON');
  }
  const parsed = modelManifestSchema.safeParse(value, DESCRIBED);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  if (issue === undefined) return refuse(path, 'is no manifest');
  return refuse(path, `${jsonPointer(issue.path) || 'the manifest'} ${issueText(issue)}`);
}

/** `fraud.json` imported on 20 November is `fraud@2026-11-20`. */
function nameOf(path: string): string {
  const stem = basename(path)
    .toLowerCase()
    .replace(/\.(json|txt)$/, '')
    .replaceAll(/[^a-z0-9-]+/g, '-');
  const parsed = modelName.safeParse(`${stem}@${new Date().toISOString().slice(0, 10)}`);
  if (!parsed.success) throw new UsageError('no name follows from the file; say --name');
  return parsed.data;
}
