/** `risk models export`: the artefact as it was imported, and its manifest beside it. */
import { rm, writeFile } from 'node:fs/promises';
import {
  type CommandContext,
  EXIT,
  optionsOf,
  parseArguments,
} from '../../../kit/command/command.ts';
import { openCommandDatabase } from '../../../kit/command/stores.ts';
import { findKnown, readModel } from '../store/models.ts';
import { orRefuse } from './model-folder.ts';

const OPTIONS = {
  '--out FILE': "Where it writes (the model's name in the current folder)",
} as const;

export const exportAction = {
  words: 'MODEL',
  summary: 'Write the file of a model and its manifest; both or none, and no file is overwritten',
  options: OPTIONS,
  async run(args: string[], context: CommandContext): Promise<number> {
    const { values, positionals } = parseArguments(args, optionsOf(OPTIONS), {
      required: ['MODEL'],
    });
    await using database = openCommandDatabase(context, 'models');
    const { model_id, model, format } = await findKnown(database, positionals[0]);
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
    return EXIT.fine;
  },
};
