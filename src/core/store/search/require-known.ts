/** Refuses names of corridors, models and reasons that the market lacks, and says which it has. */
import type { Databases } from '../../../kit/database/replica/choose-database.ts';
import { rowsOf } from '../../../kit/database/statement.ts';
import { given, NAMED_MAX, oneOf } from '../../../kit/words/describe-issue.ts';
import { InvalidFields } from '../../../kit/words/field-errors.ts';
import { corridorProblem } from '../../domain/corridor.ts';
import { NO_MODEL } from '../../domain/score-record.ts';
import { REASON_CODES } from '../../score/reason-codes.ts';

const listModels = rowsOf<{ model: string }, [first: string, rowsMax: number]>(
  'list-model-names',
  'select model from market.models order by model <> $1, model limit $2',
);

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
  const known = await listModels(primary.query, model, NAMED_MAX + 1);
  const names = [NO_MODEL, ...known.map((model) => model.model)];
  if (names.includes(model)) return;
  throw invalid('/model', `must be ${oneOf(names, NAMED_MAX)}, not ${given(model)}`);
}

const OF_BUILD = REASON_CODES.map(({ code }) => code);
const unknownCodes = rowsOf<{ code: string }, [codes: readonly string[]]>(
  'find-unknown-reason-codes',
  `select code from unnest($1::text[]) code
    where not exists (select from market.rule_sets
                       where approved_at is not null and strpos(source, '"code":"' || code || '"') > 0)`,
);

/** Throws InvalidFields for a code that neither this build nor an approved rule set has. */
export async function requireReasons(
  { primary }: Databases,
  codes: readonly string[],
  pointer: (index: number) => string,
): Promise<void> {
  const others = codes.filter((code) => !OF_BUILD.includes(code));
  if (others.length === 0) return;
  const [unknown] = await unknownCodes(primary.query, others);
  if (unknown === undefined) return;
  const known = `the code of an approved rule set, or ${oneOf(OF_BUILD, OF_BUILD.length)}`;
  throw invalid(
    pointer(codes.indexOf(unknown.code)),
    `must be ${known}, not ${given(unknown.code)}`,
  );
}

const invalid = (pointer: string, detail: string) => new InvalidFields([{ pointer, detail }]);
