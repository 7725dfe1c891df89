/** Refuses names of corridors and models that the market lacks, and says which it has. */
import type { Statement } from '../../../kit/database/pool.ts';
import type { Databases } from '../../../kit/database/replica/choose-database.ts';
import { given, NAMED_MAX, oneOf } from '../../../kit/words/describe-issue.ts';
import { InvalidFields } from '../../../kit/words/field-error.ts';
import { corridorProblem } from '../../domain/known-corridor.ts';
import { NO_MODEL } from '../../domain/score-record.ts';

const modelsStatement: Statement = {
  name: 'list-model-names',
  text: 'select model from market.models order by model <> $1, model limit $2',
};

/** Throws InvalidFields for a corridor that a transaction may not name now. */
export function requireCorridor(known: ReadonlySet<string>, corridor: string | undefined): void {
  const problem = corridor === undefined ? undefined : corridorProblem(known, corridor);
  if (problem !== undefined) throw invalid('/corridor', problem);
}

/** Throws InvalidFields, which lists what is known; `none` and undefined are always allowed. */
export async function requireModel(
  { primary }: Databases,
  model: string | undefined,
): Promise<void> {
  if (model === undefined || model === NO_MODEL) return;
  // A name beyond those that a message lists lets the message say that there are more.
  const known = await primary.query<{ model: string }>(modelsStatement, [model, NAMED_MAX + 1]);
  const names = [NO_MODEL, ...known.map((one) => one.model)];
  if (names.includes(model)) return;
  throw invalid('/model', `must be ${oneOf(names, NAMED_MAX)}, not ${given(model)}`);
}

const invalid = (pointer: string, detail: string) => new InvalidFields([{ pointer, detail }]);
