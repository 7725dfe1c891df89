/**
 * Decides random vectors by every rule set of this build in every way that a rule set reaches the engine, beside the code that
 * the rules once were: as an object (live), from the text of a file (test), from canonical JSON (replay of a stored version),
 * with its members in another order (check of what an editor sends), and derived of each.
 */

import { FEATURE_COUNT } from '../../src/core/domain/feature-schema.ts';
import { canonicalJson } from '../../src/core/domain/metadata.ts';
import type { Opinion } from '../../src/core/score/judge.ts';
import { type CompiledRuleSet, compileOwn } from '../../src/core/score/rules/compile-rule-set.ts';
import { type Derivation, deriveRuleSet } from '../../src/core/score/rules/derived-rule-set.ts';
import type { RuleSetData } from '../../src/core/score/rules/rule-set-data.ts';
import { default1 } from '../../src/core/score/rules/rule-sets/default-1.ts';
import { default2 } from '../../src/core/score/rules/rule-sets/default-2.ts';
import { default3 } from '../../src/core/score/rules/rule-sets/default-3.ts';
import { score } from '../../src/core/score/score.ts';
import { createRandom, type Random } from '../../src/kit/random.ts';
import { deriveRuleSet as deriveCode } from './rules-as-code/derive-rule-set.ts';
import { RULE_SETS_AS_CODE } from './rules-as-code/rule-sets.ts';
import { score as scoreByCode } from './rules-as-code/score.ts';

const WAYS: readonly ((data: RuleSetData) => unknown)[] = [
  (data) => data,
  (data) => JSON.parse(JSON.stringify(data, null, 2)),
  (data) => JSON.parse(canonicalJson(data)),
  (data) => reversed(JSON.parse(JSON.stringify(data))),
];

/** Members of objects in the opposite order. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).reverse();
  return Object.fromEntries(members.map(([name, member]) => [name, reversed(member)]));
}

const DERIVATIONS: readonly Derivation[] = [
  { without: [], tightenedBy: 0, manualFrom: null },
  { without: ['STRUCTURING', 'NEW_DEVICE', 'ACCOUNT_FRAUD'], tightenedBy: 0, manualFrom: null },
  { without: ['AMOUNT_OVER_HABIT'], tightenedBy: 120, manualFrom: { amount: 5, currency: 'USD' } },
];

type Arm = {
  readonly byData: readonly CompiledRuleSet[];
  readonly byCode: ReturnType<typeof deriveCode>;
};

export const MATRIX_ARMS: readonly Arm[] = [default1, default2, default3].flatMap((data, index) =>
  DERIVATIONS.map((derivation) => ({
    byData: WAYS.map((way) => deriveRuleSet(compileOwn(way(data) as RuleSetData), derivation)),
    byCode: deriveCode(RULE_SETS_AS_CODE[index] as Arm['byCode'], derivation),
  })),
);

/** Numbers at which a condition or a band of some rule turns, and what vectors may hold beside ordinary values. */
const EDGES = [
  ...[0, 0.05, 0.1, 0.3, 0.5, 0.6, 0.8, 0.85, 1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10, 15, 20, 25],
  ...[28, 30, 40, 60, 90, 100, 150, 720, 2160, 3600, Number.POSITIVE_INFINITY, -1, 1e-9],
];

function fillVector(vector: Float64Array, random: Random): void {
  const missing = random() * 0.5;
  for (let index = 0; index < FEATURE_COUNT; index++) {
    const kind = random();
    vector[index] =
      kind < missing
        ? Number.NaN
        : kind < 0.6
          ? (EDGES[Math.floor(random() * EDGES.length)] as number)
          : random() ** 3 * 200;
  }
}

function opinionOf(random: Random): Opinion | null {
  const kind = random();
  if (kind < 0.6) return null;
  return {
    probability: random() ** 2,
    bands: kind < 0.8 ? null : { reviewFrom: 0.3, declineFrom: 0.7 },
    factors: () => [{ feature: 'count_1h', value: 3, contribution: 1 }],
  };
}

/** Returns how many decisions were compared, how many rules fired, and the first decisions that differ. */
export function compareDecisions(decisions: number, seed: string) {
  const random = createRandom(seed);
  const vector = new Float64Array(FEATURE_COUNT);
  const differing: string[] = [];
  let compared = 0;
  let reasons = 0;
  while (compared < decisions) {
    fillVector(vector, random);
    const opinion = opinionOf(random);
    const arm = MATRIX_ARMS[compared % MATRIX_ARMS.length] as Arm;
    const wanted = scoreByCode({ vector, ruleSet: arm.byCode, opinion });
    const text = JSON.stringify(wanted);
    reasons += wanted.reasons.length;
    for (const ruleSet of arm.byData) {
      const made = score({ vector, ruleSet, opinion });
      compared++;
      const isSame = Object.is(made.risk, wanted.risk) && JSON.stringify(made) === text;
      if (!isSame && differing.length < 5) differing.push(`${JSON.stringify(made)}, not ${text}`);
    }
  }
  return { compared, reasons, differing };
}
