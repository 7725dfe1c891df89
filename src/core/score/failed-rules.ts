/** Rules that threw: the others decide, and the score says so. */
import type { Reason } from '../domain/score-record.ts';
import type { CompiledRule, CompiledRuleSet } from './rules/compile-rule-set.ts';

export const FAILED_REASON = 'RULE_FAILED';
/** Rules that the reason names. More: the sentence does not fit a row of the console. */
const NAMED_MAX = 3;
const NONE: readonly CompiledRule[] = [];

type Failing = Pick<CompiledRuleSet, 'program' | 'programRules'>;

/** The rules that threw on the row that the program decided last; a derived rule set passes over those that it is without. */
export function failedRules({ program, programRules }: Failing): readonly CompiledRule[] {
  const failures = program.failures();
  if (failures.length === 0) return NONE;
  return failures.flatMap(({ index }) => programRules[index] ?? []);
}

/** The reason, which is the same at each recomputation: what a rule threw is told by the log alone. */
export function failureOf(failed: readonly CompiledRule[]): Reason {
  const more = failed.length - NAMED_MAX;
  const named = failed.slice(0, NAMED_MAX).map(({ id }) => id);
  const names = [...named, ...(more > 0 ? [`${more} more`] : [])].join(', ');
  const detail = `Rules that failed did not count: ${names}`;
  return { code: FAILED_REASON, detail, contribution: 0 };
}
