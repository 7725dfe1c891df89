/** Goal: rules read declared metadata of its type and length alone, whatever clients send. Method: a table of metadata. */
import { expect, test } from 'vitest';
import { declaredOf, valuesIn } from '../../../../src/core/domain/metadata.ts';

const fields = new Map([
  ['tier', 'text'],
  ['points', 'number'],
  ['vip', 'boolean'],
  ['constructor', 'text'],
] as const);

test.each<[string, unknown, object | null]>([
  ['fits', { tier: 'gold', points: 7, vip: false }, { tier: 'gold', points: 7, vip: false }],
  ['is not declared', { order: 1 }, null],
  ['has other types', { tier: 7, points: '7', vip: 'true' }, null],
  ['is nested or null', { tier: { of: 'gold' }, points: [7], vip: null }, null],
  ['has 64 bytes', { tier: 'é'.repeat(32) }, { tier: 'é'.repeat(32) }],
  ['has 65 bytes', { tier: `${'é'.repeat(32)}x`, points: 7 }, { points: 7 }],
  ['is decomposed', { tier: 'Jose\u0301'.repeat(12) }, { tier: 'Jos\u00e9'.repeat(12) }],
  ['lacks the name of a prototype', { points: 7 }, { points: 7 }],
  ['has the name of a prototype', { constructor: 'x' }, { constructor: 'x' }],
  ['is absent', undefined, null],
  ['is a list', ['gold'], null],
])('metadata that %s', (_, metadata, values) => {
  const declared = declaredOf(metadata, fields);
  expect(declared && valuesIn(declared)).toEqual(values);
});
