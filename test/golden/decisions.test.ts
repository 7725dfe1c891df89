/**
 * Goal: the rule sets of the build decide random vectors to the last bit as they always did, in every way that a rule set reaches the
 * engine: as an object (live), from the text of a file (test), from canonical JSON (replay of a stored version), with its members in
 * another order (check of what an editor sends), and derived of each. A digest that differs is never mended by writing the new one.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { canonicalJson } from '../../src/core/domain/metadata.ts';
import type { Opinion } from '../../src/core/score/opinion.ts';
import { type CompiledRuleSet, compileOwn } from '../../src/core/score/rules/compile-rule-set.ts';
import { default3 } from '../../src/core/score/rules/default-3.ts';
import { default4 } from '../../src/core/score/rules/default-4.ts';
import { type Derivation, deriveRuleSet } from '../../src/core/score/rules/derived-rule-set.ts';
import type { RuleSetData } from '../../src/core/score/rules/rule-set-data.ts';
import { score } from '../../src/core/score/score.ts';
import { createRandom, type Random } from '../../src/kit/random.ts';

/** By derivation: SHA-256 of the decisions in JSON, a line each. */
const DIGESTS: Readonly<Record<string, string>> = JSON.parse(
  readFileSync(new URL('./decisions.json', import.meta.url), 'utf8'),
);
const DECISIONS = 2500;

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

const DERIVATIONS: Readonly<Record<string, Derivation>> = {
  whole: { without: [], tightenedBy: 0, manualFrom: null },
  'without three': {
    without: ['STRUCTURING', 'NEW_DEVICE', 'ACCOUNT_FRAUD'],
    tightenedBy: 0,
    manualFrom: null,
  },
  tightened: {
    without: ['AMOUNT_OVER_HABIT'],
    tightenedBy: 120,
    manualFrom: { amount: 5, currency: 'USD' },
  },
};

/** Numbers at which a condition or a band of some rule turns, and what vectors may hold beside ordinary values. */
const EDGES = [
  0, 0.05, 0.1, 0.3, 0.5, 0.6, 0.8, 0.85, 1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10, 15, 20, 25,
  28, 30, 40, 60, 90, 100, 150, 720, 2160, 3600, Number.POSITIVE_INFINITY, -1, 1e-9,
];

/** Features that each rule set was pinned with: with more of them all other draws would differ. */
const SETS = [
  { data: default3, features: 82, named: '' },
  { data: default4, features: 93, named: 'default@4 ' },
];

function fillVector(vector: Float64Array, random: Random): void {
  const missing = random() * 0.5;
  for (let index = 0; index < vector.length; index++) {
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

function decide(ruleSet: CompiledRuleSet, features: number) {
  const random = createRandom('rules');
  const vector = new Float64Array(features);
  const hash = createHash('sha256');
  let reasons = 0;
  for (let nth = 0; nth < DECISIONS; nth++) {
    fillVector(vector, random);
    const { byRules: _, ...decision } = score({ vector, ruleSet, opinion: opinionOf(random) });
    reasons += decision.reasons.length;
    hash.update(`${JSON.stringify(decision)}\n`);
  }
  return { digest: hash.digest('hex'), reasons };
}

const CASES = SETS.flatMap((set) =>
  Object.entries(DERIVATIONS).map(([derived, derivation]) => ({
    ...set,
    ...{ name: set.named + derived, derivation },
  })),
);

test.each(CASES)('$name', ({ name, data, features, derivation }) => {
  const [own, ...others] = WAYS.map((way) =>
    deriveRuleSet(compileOwn(way(data) as RuleSetData), derivation),
  );
  for (const other of others) {
    expect([other.program.code, other.sha256]).toEqual([own?.program.code, own?.sha256]);
  }
  const { digest, reasons } = decide(own as CompiledRuleSet, features);
  expect(digest).toBe(DIGESTS[name]);
  // Vectors on which nothing fires would prove nothing.
  expect(reasons).toBeGreaterThan(DECISIONS);
});
