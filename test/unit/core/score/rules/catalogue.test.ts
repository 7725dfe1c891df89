/** Goal: no rule is forgotten or doubled. Method: the folder of rules against the registry. */
import { existsSync, readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { FEATURE_LIST } from '../../../../../src/core/domain/feature-schema.ts';
import { RULES } from '../../../../../src/core/score/rules/catalogue.ts';

const FOLDER = new URL('../../../../../src/core/score/rules/catalogue/', import.meta.url);
const files = readdirSync(FOLDER).filter((name) => name.endsWith('.ts'));

describe('rules', () => {
  test('are at least twelve, one a file, all in the registry', () => {
    expect(RULES.length).toBeGreaterThanOrEqual(12);
    expect(RULES.map((rule) => `${rule.id}.ts`).sort()).toEqual(files.sort());
  });

  test('have reason codes of their own, named after them', () => {
    for (const { id, reasonCode } of RULES) {
      expect(reasonCode).toBe(id.toUpperCase().replaceAll('-', '_'));
    }
    expect(new Set(RULES.map((rule) => rule.reasonCode)).size).toBe(RULES.length);
  });

  test.each(files)('%s has a test', (name) => {
    const url = new URL(`./catalogue/${name.replace('.ts', '.test.ts')}`, import.meta.url);
    expect(existsSync(url)).toBe(true);
  });

  test('declare features of the schema', () => {
    const known = new Set<string>(FEATURE_LIST.map((feature) => feature.name));
    expect(RULES.flatMap((rule) => rule.features).filter((name) => !known.has(name))).toEqual([]);
  });
});
