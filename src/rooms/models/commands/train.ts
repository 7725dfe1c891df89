/**
 * `risk models train`: logged features and labels in, a registered model out. Everything that can be
 * refused is refused before the training; the files come all at once, the row of the registry last.
 */

import { FEATURE_SCHEMA } from '../../../core/domain/feature-schema.ts';
import { holdingsIn } from '../../../core/score/rollout/plan-rollout.ts';
import type { Slot } from '../../../core/score/scorecard/day-table.ts';
import { readSlots } from '../../../core/store/metadata-fields/metadata-fields.ts';
import { MODELS, readSettledRollouts } from '../../../core/store/rollouts/rollouts.ts';
import { type CommandContext, UsageError, unlessStopped } from '../../../kit/command/command.ts';
import { written } from '../../../kit/command/rows.ts';
import { openCommandDatabase } from '../../../kit/command/stores.ts';
import type { Database } from '../../../kit/database/pool.ts';
import { resultOf } from '../../../kit/process/steps.ts';
import { createRandom } from '../../../kit/random.ts';
import { Failure } from '../../../kit/words/failure.ts';
import type { Officer } from '../../../kit/words/principal.ts';
import { type ModelManifest, modelManifestSchema } from '../manifest.ts';
import { describeModel } from '../registry/check-model.ts';
import { refuseTakenName, registerModel } from '../registry/register-model.ts';
import { findModel } from '../store/models.ts';
import { type BuildStep, buildModel, findLack } from '../training/build-model.ts';
import type { ModelCard } from '../training/card/model-card.ts';
import { readCodeVersion } from '../training/code-version.ts';
import { countFrauds } from '../training/rows.ts';
import { openModelFolder } from './model-folder.ts';
import { readOfficer } from './officer.ts';
import { readTraining, TRAIN_OPTIONS, type TrainSettings } from './train-options.ts';
import { readWindows } from './training-windows.ts';

/** Bound on the statements of one snapshot, which only an operator waits for. */
const READING_TIMEOUT_MS = 3_600_000;
/** Time between two lines of progress of one activity. */
const LINE_INTERVAL_MS = 2000;
const ARTEFACT = 'model.json';

const TRAINS = 'Train a model on logged features and labels, and register it';
export const trainAction = written('', TRAINS, TRAIN_OPTIONS, async ({ values }, context) => {
  const { config, output, signal } = context;
  await using database = openCommandDatabase(context, 'models', {
    statementTimeoutMs: READING_TIMEOUT_MS,
  });
  const settings = await readTraining(values, Date.now(), await readSlots(database.query));
  if (settings.registers && config.RISK_API_KEY === undefined) {
    throw new UsageError('RISK_API_KEY must hold the key of a risk officer; or say --no-register');
  }
  const officer = settings.registers ? await readOfficer(database, config, 'train') : null;
  if (officer !== null) await refuseTakenName(database, settings.name);
  const lineage = { codeVersion: await readCodeVersion(), parent: await findActive(database) };
  await using folder = await openModelFolder(settings.out);
  const training = trainAndDescribe(settings, lineage, database, createNote(output.note), signal);
  const trained = await unlessStopped(context, 'nothing was written or registered', training);
  const { artefact, manifest, card } = trained;
  await folder.commit({
    [ARTEFACT]: artefact,
    [`${ARTEFACT}.manifest.json`]: `${JSON.stringify(manifest)}\n`,
    'card.json': `${JSON.stringify(card, null, 1)}\n`,
  });
  if (officer !== null) await register(database, trained, officer, folder.path);
  show(context, settings, trained, folder.path);
});

type Trained = {
  readonly artefact: Uint8Array;
  readonly manifest: ModelManifest;
  readonly card: ModelCard;
};

async function trainAndDescribe(
  settings: TrainSettings,
  lineage: Pick<ModelCard, 'codeVersion' | 'parent'>,
  database: Database,
  note: Note,
  signal: AbortSignal,
): Promise<Trained> {
  const onRead = (window: string, rows: number, rowsMax: number) => {
    const doing = `reading the ${window} window`;
    note(doing, `${doing}: ${rows} of ${rowsMax} rows`);
  };
  const { training, validation } = await readWindows(database, settings, onRead, signal);
  const lack = findLack(training.rows, validation?.rows ?? null);
  if (lack !== undefined) throw new Failure('invalid', 'TOO_LITTLE_DATA', lack);
  const { name, seed, bandsRule } = settings;
  const trainer = settings.trainer.toTrainer(countFrauds(training.rows.labels));
  const steps = buildModel({
    training: training.rows,
    validation: validation?.rows ?? null,
    trainer,
    bandsRule,
    daysSeen: (validation ?? training).daysSeen,
    randomFor: (purpose) => createRandom(`${seed}/${purpose}`),
  });
  const { bytes, model, size, calibration, judged } = await resultOf(steps, signal, (step) =>
    note(step.doing, describeStep(step)),
  );
  const card: ModelCard = {
    id: name,
    kind: trainer.kind,
    sha256: model.sha256,
    ...lineage,
    createdAt: new Date().toISOString(),
    featureSchema: FEATURE_SCHEMA,
    seed,
    options: trainer.options,
    size,
    training: training.window,
    validation: validation?.window ?? null,
    ...judged,
    calibration,
    bandsRule,
  };
  return { artefact: bytes, manifest: toManifest(card, bytes, settings.slots), card };
}

/** @throws ZodError for a manifest that could not be imported elsewhere */
function toManifest(card: ModelCard, bytes: Uint8Array, slots: readonly Slot[]): ModelManifest {
  const { featureSchema: feature_schema, calibration } = card;
  const { from, to, knownBy: known_by } = card.training;
  const { codeVersion: code_version, parent } = card;
  const lineage = { trained: { from, to, known_by }, code_version, parent };
  const told = { feature_schema, calibration, lineage, card };
  return modelManifestSchema.parse(
    describeModel(bytes, card.id, createRandom('golden'), told, slots),
  );
}

type Note = (doing: string, text: string) => void;

/** Prints lines of progress on standard error: the first of each activity, and one every LINE_INTERVAL_MS. */
function createNote(print: (text: string) => void): Note {
  let current = '';
  let lineAtMs = Number.NEGATIVE_INFINITY;
  return (doing, text) => {
    const nowMs = performance.now();
    if (doing === current && nowMs - lineAtMs < LINE_INTERVAL_MS) return;
    current = doing;
    lineAtMs = nowMs;
    print(text);
  };
}

function describeStep({ doing, step, stepsMax, metric }: BuildStep): string {
  if (step === 0) return doing;
  const of = stepsMax === null ? '' : ` of at most ${stepsMax}`;
  const shown = metric === null ? '' : `, ${metric.toFixed(4)} on the validation window`;
  return `${doing}: ${step}${of}${shown}`;
}

/** The model that is active in most corridors; among equals the one that became active last. */
async function findActive(database: Database): Promise<string | null> {
  const log = await readSettledRollouts(MODELS, database, 'risk models train');
  const corridors = new Set(log.map(({ corridor }) => corridor));
  const active = [...corridors].flatMap((corridor) =>
    [...holdingsIn(log, corridor)].filter(([, { state }]) => state === 'active').map(([id]) => id),
  );
  const rank = (id: string) => active.filter((other) => other === id).length;
  const newest = (id: string) => log.findLastIndex(({ subject }) => subject === id);
  const [first] = active.sort((a, b) => rank(b) - rank(a) || newest(b) - newest(a));
  return first === undefined ? null : ((await findModel(database.query, first))?.model ?? null);
}

/** A failure here leaves the files: training again would cost minutes, importing them does not. */
async function register(
  database: Database,
  { artefact, manifest }: Trained,
  by: Officer,
  path: string,
): Promise<void> {
  try {
    await registerModel(database, { artefact, manifest, goldenSource: 'manifest', by });
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const why = `${error.message} (not registered; risk models import ${path}/${ARTEFACT})`;
    throw new Failure(error.kind, error.code, why, { cause: error });
  }
}

function show(
  { output }: CommandContext,
  { registers }: TrainSettings,
  { manifest, card }: Trained,
  path: string,
): void {
  const { model, sha256 } = manifest;
  const { kind, training, validation, figures, bands, size, parent } = card;
  const document = {
    model,
    model_id: sha256,
    kind,
    size,
    path,
    is_registered: registers,
    training,
    validation,
    figures,
    bands,
    parent,
  };
  const shown = Object.entries(figures).map(
    ([name, { value, low, high }]) =>
      `${name} ${value.toFixed(4)} (${low.toFixed(4)} to ${high.toFixed(4)})`,
  );
  output.value(document, [
    `${model} of ${training.rows} rows, ${training.frauds} frauds: ${size} ${kind === 'trees' ? 'trees' : 'weights'}`,
    ...(validation === null ? ['nothing was held back: no figures'] : shown),
    `${path}: ${ARTEFACT}, its manifest and card.json`,
    registers ? `registered as staged, ${sha256}` : `not registered, ${sha256}`,
  ]);
}
