/** Rule sets of people in Postgres, as processes score, explain and verify by them. An approved one never changes. */

import type { Changes } from '../../../kit/database/follow-changes.ts';
import type { Database } from '../../../kit/database/pool.ts';
import { firstOf, rowsOf } from '../../../kit/database/statement.ts';
import type { Log } from '../../../kit/metrics/log.ts';
import { inSlices } from '../../../kit/process/pauses.ts';
import { Failure, toError } from '../../../kit/words/failure.ts';
import { idsIn, subjectsInForce } from '../../score/rollout/in-force.ts';
import { type CompiledRuleSet, compiling } from '../../score/rules/compile-rule-set.ts';
import { baseName, parseDerived } from '../../score/rules/derived-rule-set.ts';
import { currentRuleSet, findRuleSet } from '../../score/rules/rule-sets.ts';
import { NO_ROLLOUTS, type RuleSetsInForce } from '../../score/rules-in-force.ts';
import { RULE_SETS, readRollouts } from '../rollouts/rollouts.ts';

type Queries = Pick<Database, 'query'>;

export type RuleSetSource = {
  readonly ruleSet: string;
  readonly sha256: string;
  /** Canonical JSON. */
  readonly source: string;
};

/** By its hash, so that markets which share a process share what is equal. Fewer: verification compiles again and again. */
const COMPILED_MAX = 64;
const compiled = new Map<string, CompiledRuleSet>();

/** @throws Failure where this build cannot compile it to what was hashed */
export async function compileStored({
  ruleSet,
  sha256,
  source,
}: RuleSetSource): Promise<CompiledRuleSet> {
  const known = compiled.get(sha256);
  if (known !== undefined) return known;
  const made = await inSlices(compiling(JSON.parse(source)));
  if (!('ruleSet' in made)) {
    const [first] = made.problems;
    const why = `this build cannot compile ${ruleSet}: ${first?.pointer} ${first?.detail}`;
    throw new Failure('permanent', 'RULE_SET_UNKNOWN', why);
  }
  if (made.ruleSet.sha256 !== sha256 || made.ruleSet.id !== ruleSet) {
    const why = `the source of ${ruleSet} hashes to ${made.ruleSet.sha256}`;
    throw new Failure('permanent', 'RULE_SET_CORRUPT', why);
  }
  if (compiled.size >= COMPILED_MAX) compiled.clear();
  compiled.set(sha256, made.ruleSet);
  return made.ruleSet;
}

const SOURCE = 'rule_set as "ruleSet", sha256, source';
const findSource = firstOf<RuleSetSource, [ruleSet: string]>(
  'find-rule-set-source',
  `select ${SOURCE} from market.rule_sets where rule_set = $1 and approved_at is not null`,
);
/** In any state: a draft may be tried and never decides. */
export const findDraftedSource = firstOf<RuleSetSource, [ruleSet: string]>(
  'find-drafted-rule-set-source',
  `select ${SOURCE} from market.rule_sets where rule_set = $1`,
);
export const readSources = rowsOf<RuleSetSource, [ruleSets: readonly string[]]>(
  'read-rule-set-sources',
  `select ${SOURCE} from market.rule_sets where rule_set = any ($1::text[]) and approved_at is not null`,
);

const newestSources = rowsOf<RuleSetSource, [rowsMax: number]>(
  'read-newest-rule-set-sources',
  `select ${SOURCE} from market.rule_sets s where approved_at is not null
    order by (select max(rollout_id) from market.rollouts r where r.rule_set = s.rule_set) desc nulls last,
             approved_at desc limit $1`,
);

/** Approved rule sets that this build compiles, last rolled out first; rule sets behind the first COMPILED_MAX are left out. */
export async function listApproved({ query }: Queries): Promise<CompiledRuleSet[]> {
  const ready: CompiledRuleSet[] = [];
  for (const source of await newestSources(query, COMPILED_MAX)) {
    try {
      ready.push(await compileStored(source));
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
    }
  }
  return ready;
}

/** The rule set by the name stored with a score: of the build, of people, or derived of either. */
export async function findStoredRuleSet(
  { query }: Queries,
  name: string,
): Promise<CompiledRuleSet | undefined> {
  const ofBuild = findRuleSet(name);
  const base = baseName(name);
  if (ofBuild !== undefined || base === undefined) return ofBuild;
  const found = await findSource(query, base);
  if (found === undefined) return undefined;
  const ruleSet = await compileStored(found);
  return ruleSet.id === name ? ruleSet : parseDerived(ruleSet, name);
}

/**
 * The rule sets in force by Postgres alone: 1.5 s old at most, so that a rollback holds in every worker within two seconds.
 * @returns the rule sets in force now; throws a Failure `unavailable`
 */
export function watchRuleSets(
  database: Queries,
  changes: Pick<Changes, 'follow'>,
  log: Pick<Log, 'info' | 'error'>,
): () => Promise<RuleSetsInForce> {
  const { fresh } = changes.follow({
    name: 'rule-sets',
    mark: RULE_SETS.mark,
    async load() {
      const inForce = await readRuleSetsInForce(database, log);
      const corridors = [...inForce].map(([corridor, { active, canary }]) =>
        [corridor, active.id, canary?.ruleSet.id].filter((name) => name !== undefined).join(' '),
      );
      log.info({ corridors }, 'rule sets');
      return inForce;
    },
  });
  return fresh;
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
      ready.set(row.ruleSet, await compileStored(row));
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
  return [...new Set([currentRuleSet, ...all.filter((name) => name !== undefined)])];
}
