/** The rule sets in force by Postgres alone: 1.5 s old at most, so that a rollback holds in every worker within two seconds. */
import type { Changes } from '../../../kit/database/follow-changes.ts';
import type { Database } from '../../../kit/database/pool.ts';
import type { Log } from '../../../kit/metrics/log.ts';
import { toError } from '../../../kit/words/failure.ts';
import { idsIn, subjectsInForce } from '../../score/rollout/in-force.ts';
import type { CompiledRuleSet } from '../../score/rules/compile-rule-set.ts';
import { currentRuleSet } from '../../score/rules/rule-sets.ts';
import { NO_ROLLOUTS, type RuleSetsInForce } from '../../score/rules-in-force.ts';
import { RULE_SETS, readRollouts } from '../rollouts/rollouts.ts';
import { compileStored, readSources } from './rule-sets.ts';

type Queries = Pick<Database, 'query'>;

/** @returns the rule sets in force now; throws a Failure `unavailable` */
export function watchRuleSets(
  database: Queries,
  changes: Pick<Changes, 'follow'>,
  log: Pick<Log, 'info' | 'error'>,
): () => Promise<RuleSetsInForce> {
  let inForce = NO_ROLLOUTS;
  const { untilFresh } = changes.follow({
    name: 'rule-sets',
    mark: RULE_SETS.mark,
    async load() {
      inForce = await readRuleSetsInForce(database, log);
      const corridors = [...inForce].map(([corridor, { active, canary }]) =>
        [corridor, active.id, canary?.ruleSet.id].filter((one) => one !== undefined).join(' '),
      );
      log.info({ corridors }, 'rule sets');
    },
  });
  return async () => {
    await untilFresh();
    return inForce;
  };
}

/** A rule set that this build cannot compile gives way to the one before it, at the end to that of the build. */
export async function readRuleSetsInForce(
  database: Queries,
  log?: Pick<Log, 'error'>,
): Promise<RuleSetsInForce> {
  const wanted = subjectsInForce(await readRollouts(RULE_SETS, database));
  if (wanted.size === 0) return NO_ROLLOUTS;
  const names = [...new Set([...wanted.values()].flatMap(idsIn))];
  const ready = new Map<string, CompiledRuleSet>();
  for (const row of await readSources(database.query, names)) {
    try {
      ready.set(row.ruleSet, compileStored(row));
    } catch (error) {
      const err = toError(error).message;
      log?.error({ ruleSet: row.ruleSet, err }, 'rule set refused: it does not decide');
    }
  }
  return new Map(
    [...wanted].map(([corridor, { active, canary, shadows }]) => {
      const [first = currentRuleSet] = active.flatMap((name) => ready.get(name) ?? []);
      const drawn = canary && ready.get(canary.subject);
      return [
        corridor,
        {
          active: first,
          canary: canary && drawn ? { ...canary, ruleSet: drawn } : null,
          shadows: shadows.flatMap((name) => ready.get(name) ?? []),
        },
      ];
    }),
  );
}

/** Every rule set that decides somewhere, or may again by a rollback: that of the build is one. */
export async function listRuleSetsInForce(database: Queries): Promise<CompiledRuleSet[]> {
  const inForce = await readRuleSetsInForce(database);
  const all = [...inForce.values()].flatMap(({ active, canary }) => [active, canary?.ruleSet]);
  return [...new Set([currentRuleSet, ...all.filter((one) => one !== undefined)])];
}
