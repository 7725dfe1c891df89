/** `risk models train` on made payments of six weeks in a real database, in this process. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { FEATURE_LIST } from '../../../../src/core/domain/feature-schema.ts';
import type { ModelCard } from '../../../../src/rooms/models/training/card/model-card.ts';
import { SIGNAL, storeTrainingDays } from '../../made-days.ts';
import { startModelsRig } from '../../models-command.ts';

export const TRAINING = ['--from', '2026-03-01', '--to', '2026-03-31'];
export const VALIDATION = ['--validate-from', '2026-04-01', '--validate-to', '2026-04-14'];
export const KNOWN_BY = ['--known-by', '2026-04-24'];
export const QUICK = ['--set', 'rounds=25,learningRate=0.3'];
export const WINDOWS = [...TRAINING, ...VALIDATION, ...KNOWN_BY, ...QUICK];
/** The feature by which the frauds are recognised. */
export const RECOGNISED = FEATURE_LIST[SIGNAL]?.name ?? '';

export async function startTrainRig() {
  await using opened = new AsyncDisposableStack();
  const rig = opened.use(await startModelsRig());
  const officer = await rig.makeKey('Ann', ['risk_officer']);
  await using database = rig.testDatabase.open();
  await storeTrainingDays(database, 33, 0.1);
  const out = (name: string) => join(rig.folder, name);
  const readOut = (name: string, file: string) => readFileSync(join(out(name), file));
  const owned = opened.move();
  return {
    ...{ rig, officer, out, readOut },
    train: (key: string | undefined, name: string, ...args: string[]) =>
      rig.json(key, 'train', '--out', out(name), ...args),
    cardOf: (name: string): ModelCard => JSON.parse(readOut(name, 'card.json').toString()),
    count: async () => (await rig.testDatabase.sql('select from models')).length,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
