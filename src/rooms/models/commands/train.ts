/**
 * `risk models train`: logged features and labels in, a registered model out. Everything that can be
 * refused is refused before the training; the files come all at once, the row of the registry last.
 */
import { setImmediate } from 'node:timers/promises';
import { type CommandContext, EXIT, UsageError } from '../../../kit/command/command.ts';
import type { Database } from '../../../kit/database/pool.ts';
import { createRandom } from '../../../kit/random.ts';
import { Failure } from '../../../kit/words/failure.ts';
import type { Officer } from '../../../kit/words/principal.ts';
import type { ModelManifest } from '../manifest.ts';
import { refuseTakenName, registerModel } from '../registry/register-model.ts';
import { holdingsIn } from '../rollout/rollout.ts';
import { readSettledRollouts } from '../rollout/settled-rollouts.ts';
import { findModel } from '../store/models.ts';
import type { StoredRollout } from '../store/rollouts.ts';
import { type BuildStep, type BuiltModel, buildModel, findLack } from '../training/build-model.ts';
import type { ModelCard } from '../training/card/model-card.ts';
import { renderCard } from '../training/card/render-card.ts';
import { countFrauds } from '../training/training-set.ts';
import { readCodeVersion } from './code-version.ts';
import { type ModelFolder, openModelFolder } from './model-folder.ts';
import { readOfficer } from './officer.ts';
import { parseTraining, type TrainSettings, type TrainValues } from './train-options.ts';
import { toCard, toManifest } from './trained-card.ts';
import { createTrainingProgress, type TrainingProgress } from './training-progress.ts';
import { readWindows } from './training-windows.ts';

/** Bound on the statements of one snapshot, which only an operator waits for. */
export const READING_TIMEOUT_MS = 3_600_000;

type Request = {
  readonly options: TrainValues;
  readonly database: Database;
  readonly context: CommandContext;
};

export async function train({ options, database, context }: Request): Promise<number> {
  const { config, output, signal } = context;
  const settings = await parseTraining(options, Date.now());
  if (settings.registers && config.RISK_API_KEY === undefined) {
    throw new UsageError('RISK_API_KEY must hold the key of a risk officer; or say --no-register');
  }
  const officer = settings.registers ? await readOfficer({ database, context }, 'train') : null;
  if (officer !== null) await refuseTakenName(database, settings.name);
  const lineage = { codeVersion: await readCodeVersion(), parent: await findActive(database) };
  await using folder = await openModelFolder(settings.out);
  const progress = createTrainingProgress(output.note);
  const training = trainAndDescribe(settings, lineage, database, { progress, signal });
  const trained = await training.catch((error: unknown) => {
    if (signal.aborted) return undefined;
    throw error;
  });
  if (trained === undefined) {
    output.note('stopped; nothing was written or registered');
    return EXIT.failed;
  }
  await writeFiles(folder, trained);
  if (officer !== null) await register(database, trained, officer, folder.path);
  show(context, settings, trained, folder.path);
  return EXIT.fine;
}

type Trained = {
  readonly artefact: Uint8Array;
  readonly manifest: ModelManifest;
  readonly card: ModelCard;
};
type Watching = { readonly progress: TrainingProgress; readonly signal: AbortSignal };

async function trainAndDescribe(
  settings: TrainSettings,
  lineage: Pick<ModelCard, 'codeVersion' | 'parent'>,
  database: Database,
  watching: Watching,
): Promise<Trained> {
  const { training, validation } = await readWindows(database, settings, watching);
  const lack = findLack(training.rows, validation?.rows ?? null);
  if (lack !== undefined) throw new Failure('invalid', 'TOO_LITTLE_DATA', lack);
  const trainer = settings.trainer.toTrainer(countFrauds(training.rows.labels));
  const steps = buildModel({
    ...{ training: training.rows, validation: validation?.rows ?? null, trainer },
    bandsRule: settings.bandsRule,
    daysSeen: (validation ?? training).daysSeen,
    randomFor: (purpose) => createRandom(`${settings.seed}/${purpose}`),
  });
  const built = await drive(steps, watching);
  const windows = { training: training.window, validation: validation?.window ?? null };
  const createdAt = new Date().toISOString();
  const card = toCard(settings, built, { trainer, windows, lineage: { ...lineage, createdAt } });
  return { artefact: built.bytes, manifest: toManifest(card, built), card };
}

/** Between two steps the process handles signals and reports its progress. */
async function drive(
  steps: Generator<BuildStep, BuiltModel>,
  { progress, signal }: Watching,
): Promise<BuiltModel> {
  for (;;) {
    const next = steps.next();
    if (next.done === true) return next.value;
    progress.step(next.value);
    await setImmediate();
    signal.throwIfAborted();
  }
}

/** The model that is active in most corridors; among equals the one that became active last. */
async function findActive(database: Database): Promise<string | null> {
  const log = await readSettledRollouts(database, 'risk models train');
  const corridors = new Set(log.map(({ corridor }) => corridor));
  const active = [...corridors].flatMap((corridor) =>
    [...holdingsIn(log, corridor)].filter(([, { state }]) => state === 'active').map(([id]) => id),
  );
  const rank = (id: string) => active.filter((other) => other === id).length;
  const newest = (id: string) => log.findLastIndex(({ modelId }: StoredRollout) => modelId === id);
  const [first] = active.sort((a, b) => rank(b) - rank(a) || newest(b) - newest(a));
  return first === undefined ? null : ((await findModel(database, first))?.model ?? null);
}

const ARTEFACT = 'model.json';

async function writeFiles(folder: ModelFolder, { artefact, manifest, card }: Trained) {
  await folder.commit({
    [ARTEFACT]: artefact,
    [`${ARTEFACT}.manifest.json`]: `${JSON.stringify(manifest)}\n`,
    'card.json': `${JSON.stringify(card, null, 1)}\n`,
    'card.md': renderCard(card),
  });
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
  settings: TrainSettings,
  { manifest, card }: Trained,
  path: string,
): void {
  const { model, sha256 } = manifest;
  const { training, validation, figures, bands, size } = card;
  const document = {
    ...{ model, model_id: sha256, kind: card.kind, size, path, is_registered: settings.registers },
    ...{ training, validation, figures, bands, parent: card.parent },
  };
  const shown = Object.entries(figures).map(
    ([name, { value, low, high }]) =>
      `${name} ${value.toFixed(4)} (${low.toFixed(4)} to ${high.toFixed(4)})`,
  );
  output.value(document, [
    `${model} of ${training.rows} rows, ${training.frauds} frauds: ${size} ${card.kind === 'trees' ? 'trees' : 'weights'}`,
    ...(validation === null ? ['nothing was held back: no figures'] : shown),
    `${path}: ${ARTEFACT}, its manifest, card.md and card.json`,
    settings.registers ? `registered as staged, ${sha256}` : `not registered, ${sha256}`,
  ]);
}
