/**
 * The rule sets in force by Postgres alone: one small statement every EVERY_MS, all rows when a rollout was added, and valid
 * for at most STALE_MS, so that a rollback holds in every worker within two seconds, even in one that was frozen.
 */
import { createFreshReading } from '../../../kit/caches/fresh-reading.ts';
import type { Database } from '../../../kit/database/pool.ts';
import type { Log } from '../../../kit/metrics/log.ts';
import { toError } from '../../../kit/words/failure.ts';
import { idsIn, subjectsInForce } from '../../score/rollout/in-force.ts';
import type { CompiledRuleSet } from '../../score/rules/compile-rule-set.ts';
import { currentRuleSet } from '../../score/rules/rule-sets.ts';
import { NO_ROLLOUTS, type RuleSetsInForce } from '../../score/rules-in-force.ts';
import { RULE_SETS, readNewestRollout, readRollouts } from '../rollouts/rollouts.ts';
import { compileStored, readSources } from './rule-sets.ts';

type Queries = Pick<Database, 'query'>;

const EVERY_MS = 500;
const STALE_MS = 1500;

export type RuleSetWatch = {
  /** At most STALE_MS old. @throws Failure `unavailable` */
  readonly current: () => Promise<RuleSetsInForce>;
  readonly [Symbol.dispose]: () => void;
};

export function watchRuleSets(
  database: Queries,
  log: Pick<Log, 'warn' | 'info' | 'error'>,
  nowMs = () => performance.now(),
): RuleSetWatch {
  let inForce = NO_ROLLOUTS;
  let known: string | null = null;
  const read = async () => {
    const found = await readNewestRollout(RULE_SETS, database);
    if (found === known) return;
    inForce = await readRuleSetsInForce(database, log);
    known = found;
    const corridors = [...inForce].map(([corridor, { active, canary }]) =>
      [corridor, active.id, canary?.ruleSet.id].filter((one) => one !== undefined).join(' '),
    );
    log.info({ version: found, corridors }, 'rule sets');
  };
  const reading = createFreshReading(read, STALE_MS, nowMs);
  const timer = setInterval(() => {
    reading.refresh().catch((error: unknown) => {
      log.warn({ err: toError(error).message }, 'the rule sets in force could not be read');
    });
  }, EVERY_MS);
  timer.unref();
  return {
    async current() {
      await reading.untilFresh();
      return inForce;
    },
    [Symbol.dispose]: () => clearInterval(timer),
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
