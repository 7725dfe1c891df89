/** The rule set that decides: the rule set of a rollout, else the rule set of the build, with the changes of controls and its bands. */
import { type Controls, manualOf, offOf, rulesStopped, tightenedBy } from '../domain/control.ts';
import type { Reason } from '../domain/score-record.ts';
import type { Transaction } from '../domain/transaction.ts';
import { type InForce, isDrawn } from './rollout/in-force.ts';
import type { CompiledRule, CompiledRuleSet } from './rules/compile-rule-set.ts';
import { bandRuleSet, baseName, deriveRuleSet } from './rules/derived-rule-set.ts';
import { currentRuleSet } from './rules/rule-sets.ts';
import type { StoredTable } from './scorecard/day-table.ts';
import { type DatedTable, decidingTable } from './scorecard/policy.ts';
import { bandAt } from './scorecard/shares.ts';

type CorridorRuleSets = {
  readonly active: CompiledRuleSet;
  readonly canary: (NonNullable<InForce['canary']> & { readonly ruleSet: CompiledRuleSet }) | null;
  /** Rule sets that are asked and decide nothing. */
  readonly shadows: readonly CompiledRuleSet[];
};
/** By corridor; a corridor without rollouts is absent. */
export type RuleSetsInForce = ReadonlyMap<string, CorridorRuleSets>;
export const NO_ROLLOUTS: RuleSetsInForce = new Map();

const BY_BUILD: CorridorRuleSets = { active: currentRuleSet, canary: null, shadows: [] };

type Decided = Pick<Transaction, 'corridor' | 'currency' | 'accountId' | 'createdAtMs'>;
export type RulesInForce = ReturnType<typeof rulesInForce>;
type OfCorridor = {
  readonly decides: (transaction: Decided) => CompiledRuleSet;
  readonly shadows: readonly ((currency: string) => CompiledRuleSet)[];
};
const NO_SHADOWS: readonly CompiledRuleSet[] = [];

/** The reading stays as it is, so a batch that begins with a reading is decided by it to the end. */
export function rulesInForce(controls: Controls, ruleSets: RuleSetsInForce) {
  const without = rulesStopped(controls);
  const hasShadows = offOf(controls, 'shadows') === undefined;
  const ofCorridors = new Map<string, OfCorridor>();
  const deriveFor = (corridor: string, base: CompiledRuleSet) => {
    const change = { without, tightenedBy: tightenedBy(controls, corridor) };
    const manual = manualOf(controls, corridor);
    if (manual === undefined) {
      const ruleSet = deriveRuleSet(base, { ...change, manualFrom: null });
      return () => ruleSet;
    }
    const ofCurrencies = new Map<string, CompiledRuleSet>();
    return (currency: string) => {
      const known = ofCurrencies.get(currency);
      if (known !== undefined) return known;
      const ruleSet = deriveRuleSet(base, { ...change, manualFrom: manual(currency) });
      ofCurrencies.set(currency, ruleSet);
      return ruleSet;
    };
  };
  const decideFor = (
    corridor: string,
    { active, canary }: CorridorRuleSets,
  ): OfCorridor['decides'] => {
    const ofActive = deriveFor(corridor, active);
    if (canary === null) return ({ currency }) => ofActive(currency);
    const ofCanary = deriveFor(corridor, canary.ruleSet);
    return ({ currency, accountId }) =>
      isDrawn({ canary }, accountId) ? ofCanary(currency) : ofActive(currency);
  };
  const find = (corridor: string): OfCorridor => {
    const known = ofCorridors.get(corridor);
    if (known !== undefined) return known;
    const rolledOut = ruleSets.get(corridor) ?? BY_BUILD;
    const compared = hasShadows ? rolledOut.shadows : NO_SHADOWS;
    const made = {
      decides: decideFor(corridor, rolledOut),
      shadows: compared.map((ruleSet) => deriveFor(corridor, ruleSet)),
    };
    ofCorridors.set(corridor, made);
    return made;
  };
  return {
    /** @param table of the transaction */
    decides(transaction: Decided, table: StoredTable | null = null) {
      const { corridor, createdAtMs } = transaction;
      return withBands(find(corridor).decides(transaction), { table, createdAtMs });
    },
    /** Controls change a shadow as they change the rule set that decides, so a flip is due to the shadow's own rules and thresholds. */
    shadows({ corridor, currency, createdAtMs }: Decided, table: StoredTable | null = null) {
      const { shadows } = find(corridor);
      return shadows.length === 0
        ? NO_SHADOWS
        : shadows.map((ruleSetOf) => withBands(ruleSetOf(currency), { table, createdAtMs }));
    },
  };
}

const banded = new WeakMap<CompiledRuleSet, WeakMap<StoredTable, CompiledRuleSet>>();

/** The rule set with the bands of its shares where a table that may decide knows these bands, else with its fixed bands. */
export function withBands(ruleSet: CompiledRuleSet, judged?: DatedTable): CompiledRuleSet {
  const { shares, id } = ruleSet;
  const table = shares && judged && decidingTable(judged);
  if (!table) return ruleSet;
  const ofTables = banded.get(ruleSet) ?? new WeakMap<StoredTable, CompiledRuleSet>();
  banded.set(ruleSet, ofTables);
  const known = ofTables.get(table);
  if (known !== undefined) return known;
  const tops = table.table.tops.rules.get(baseName(id) ?? id);
  if (tops === undefined) return ruleSet;
  const [review, decline] = [bandAt(tops, shares.review), bandAt(tops, shares.decline)];
  const made = bandRuleSet(ruleSet, { review, decline });
  ofTables.set(table, made);
  return made;
}

/** Derives rule sets once for each reading of the controls or of the rollouts. */
export function watchRules(
  controls: () => Controls,
  ruleSets: () => Promise<RuleSetsInForce>,
): () => Promise<RulesInForce> {
  let read: readonly [Controls, RuleSetsInForce] | undefined;
  let rules: RulesInForce;
  return async () => {
    const rolledOut = await ruleSets();
    const now = controls();
    if (read?.[0] !== now || read[1] !== rolledOut) rules = rulesInForce(now, rolledOut);
    read = [now, rolledOut];
    return rules;
  };
}

/** Rules that threw: the others decide, and the score says so. */
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
