/** Checks a rule set of people by the compiler, and by what the compiler does not ask for. */
import { type Compiled, compileRuleSet } from '../../core/score/rules/compile-rule-set.ts';
import type { Declared } from '../../core/score/rules/expression/catalogue.ts';
import { unrecordedInputs } from '../../core/score/rules/rule-inputs.ts';
import { RULE_SETS } from '../../core/score/rules/rule-sets.ts';

/** No market declares names or lists yet. */
const DECLARED: Declared = { names: [], lists: [] };

const familyOf = (id: string) => id.split('@')[0] ?? '';
const OF_BUILD = new Set(RULE_SETS.map(({ id }) => familyOf(id)));

/** @param source of anybody */
export function checkSource(source: unknown): Compiled {
  const made = compileRuleSet(source, DECLARED);
  if ('problems' in made) return made;
  const { ruleSet } = made;
  if (OF_BUILD.has(familyOf(ruleSet.id))) {
    const detail = `must have a name that the build leaves free, not ${familyOf(ruleSet.id)}`;
    return { problems: [{ pointer: '/id', detail }] };
  }
  const unrecorded = unrecordedInputs(ruleSet);
  if (unrecorded.length === 0) return made;
  const detail = `must not read ${unrecorded.join(', ')}, as scores do not record the values`;
  return { problems: [{ pointer: '/rules', detail }] };
}
