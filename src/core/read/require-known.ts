/** Refuses names of corridors and models that the market lacks, and says which it has. */
import type { Databases } from '../../kit/database/replica/choose-database.ts';
import { given, NAMED_MAX, oneOf } from '../../kit/words/describe-issue.ts';
import { InvalidFields } from '../../kit/words/field-error.ts';
import { NO_MODEL } from '../domain/model-manifest.ts';
import { findModel, listModels } from '../store/models/models.ts';

/** One more than a message lists, so that it shows that there are more. */
const MODELS_READ = NAMED_MAX + 1;

/** Throws InvalidFields for a corridor that a transaction may not name now. */
export function requireCorridor(known: ReadonlySet<string>, corridor: string | undefined): void {
  if (corridor === undefined || known.has(corridor)) return;
  throw invalid('/corridor', `must be ${oneOf([...known])}, not ${given(corridor)}`);
}

/** Throws InvalidFields, which lists what is known; `none` and undefined are always allowed. */
export async function requireModel(
  { primary }: Databases,
  model: string | undefined,
): Promise<void> {
  if (model === undefined || model === NO_MODEL) return;
  if ((await findModel(primary, model))?.model === model) return;
  const known = await listModels(primary, '', MODELS_READ);
  const names = [NO_MODEL, ...known.map((one) => one.model)];
  throw invalid('/model', `must be ${oneOf(names, NAMED_MAX)}, not ${given(model)}`);
}

const invalid = (pointer: string, detail: string) => new InvalidFields([{ pointer, detail }]);
