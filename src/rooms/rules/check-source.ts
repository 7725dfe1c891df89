/** Checks a rule set of people by the compiler, and by what the compiler does not ask for. */
import { type Compiled, compileRuleSet } from '../../core/score/rules/compile-rule-set.ts';
import { type Declared, listOfKey } from '../../core/score/rules/expression/catalogue.ts';
import { currentRuleSet } from '../../core/score/rules/rule-sets.ts';
import { readFields } from '../../core/store/metadata-fields/metadata-fields.ts';
import { type KnownList, readKnownLists } from '../../core/store/rule-sets/known-lists.ts';
import type { Query } from '../../kit/database/pool.ts';

const familyOf = (id: string) => id.split('@')[0] ?? '';
const OF_BUILD = familyOf(currentRuleSet.id);

/** @param source of anybody */
export async function checkSource(query: Query, source: unknown): Promise<Compiled> {
  return checkAmong(await readKnownLists(query), await readFields(query), source);
}

/** @param lists null, as `fields`: any may be named, where no database can be asked */
export function checkAmong(
  lists: readonly KnownList[] | null,
  fields: Declared['fields'],
  source: unknown,
): Compiled {
  const known = lists === null ? null : lists.map(({ name }) => name);
  const made = compileRuleSet(source, { fields, lists: known });
  if ('problems' in made) return made;
  const { ruleSet } = made;
  if (familyOf(ruleSet.id) === OF_BUILD) {
    const detail = `must have a name that the build leaves free, not ${OF_BUILD}`;
    return { problems: [{ pointer: '/id', detail }] };
  }
  if (lists === null) return made;
  const allowing = new Set(lists.flatMap(({ name, effect }) => (effect === 'allow' ? name : [])));
  const problems = ruleSet.rules.flatMap(({ id, verdict, inputs }) => {
    const read = inputs.flatMap((key) => listOfKey(key) ?? []);
    const other = read.find((list) => !allowing.has(list));
    if ((verdict !== 'allow' && verdict !== 'approve') || other === undefined) return [];
    // Any other list is changed by one person, who would approve payments alone.
    const detail = `must ask lists that allow, and no others, where ${id} forces ${verdict}, not ${other}`;
    return [{ pointer: '/rules', detail }];
  });
  return problems.length > 0 ? { problems } : made;
}
