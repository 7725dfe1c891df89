/** Rules that threw: each decision counts, and the log tells each rule once with what it threw. */
import type { Log } from '../../kit/metrics/log.ts';
import type { Metrics } from '../../kit/metrics/metrics.ts';
import { toError } from '../../kit/words/failure.ts';
import type { CompiledRule, CompiledRuleSet } from '../score/rules/compile-rule-set.ts';
import { baseName } from '../score/rules/derived-rule-set.ts';

const told = new WeakSet<CompiledRule>();

/** @returns whether a rule threw on the row that the rule set decided last */
export function noteFailures(
  { id, program, programRules }: CompiledRuleSet,
  { metrics, log }: { readonly metrics: Metrics; readonly log: Pick<Log, 'error'> },
): boolean {
  let hasFailed = false;
  for (const { index, error } of program.failures()) {
    const rule = programRules[index];
    if (rule === undefined) continue;
    hasFailed = true;
    // Labels are bounded: people roll out few versions, each of at most RULES_MAX rules.
    metrics.ruleFailures.inc({ rule_set: baseName(id) ?? id, rule: rule.id });
    if (told.has(rule)) continue;
    told.add(rule);
    log.error({ ruleSet: id, rule: rule.id, err: toError(error).message }, 'a rule fails');
  }
  return hasFailed;
}
