/** Goal: no rule is forgotten or doubled. Method: the exports of the files of rules against the registry. */
import { describe, expect, test } from 'vitest';
import { FEATURE_LIST } from '../../../../../src/core/domain/feature-schema.ts';
import * as account from '../../../../../src/core/score/rules/catalogue/account.ts';
import * as amounts from '../../../../../src/core/score/rules/catalogue/amounts.ts';
import * as merchant from '../../../../../src/core/score/rules/catalogue/merchant.ts';
import { RULES } from '../../../../../src/core/score/rules/catalogue.ts';

describe('rules', () => {
  test('are at least twelve, all in the registry', () => {
    const written = [account, amounts, merchant].flatMap((file) => Object.values(file));
    expect(RULES.length).toBeGreaterThanOrEqual(12);
    expect(RULES.map(({ id }) => id).sort()).toEqual(written.map(({ id }) => id).sort());
  });

  test('have reason codes of their own, named after them', () => {
    for (const { id, reasonCode } of RULES) {
      expect(reasonCode).toBe(id.toUpperCase().replaceAll('-', '_'));
    }
    expect(new Set(RULES.map((rule) => rule.reasonCode)).size).toBe(RULES.length);
  });

  test('declare features of the schema', () => {
    const known = new Set<string>(FEATURE_LIST.map((feature) => feature.name));
    expect(RULES.flatMap((rule) => rule.features).filter((name) => !known.has(name))).toEqual([]);
  });
});
