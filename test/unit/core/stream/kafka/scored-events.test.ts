/**
 * Goal: events in Kafka fit the schema of their version, and a reader that was written for one version reads those of the next.
 * Method: events of the engine against the newest file; each file against the one before.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import {
  SCORED_VERSION,
  toScoredRecords,
} from '../../../../../src/core/stream/kafka/scored-events.ts';
import { streamKeys } from '../../../../../src/core/stream/keys.ts';
import { breaksOf, type Schema } from '../../../../support/kafka/schema-breaks.ts';

const FOLDER = new URL('../../../../../docs/schemas/', import.meta.url);

const read = (version: number): Schema =>
  JSON.parse(readFileSync(new URL(`transaction.scored-${version}.json`, FOLDER), 'utf8'));
const versions = readdirSync(FOLDER)
  .flatMap((name) => /^transaction\.scored-(\d+)\.json$/.exec(name)?.[1] ?? [])
  .map(Number)
  .sort((one, other) => one - other);

describe('transaction.scored in Kafka', () => {
  test('has a schema a version, of which the engine writes the newest', () => {
    expect(versions).toEqual(versions.map((_, index) => index + 1));
    expect(versions.at(-1)).toBe(SCORED_VERSION);
  });

  test('fits its schema', () => {
    const row = JSON.stringify(['id', 'acc', 'm', 12, 0.0123, 'approve', ['NEW_CORRIDOR']]);
    const [record] = toScoredRecords('market_0', [
      {
        stream: streamKeys('market_0', 'US-EG', 3),
        consumer: 'c',
        isFrozen: true,
        replaced: [],
        replies: [],
        ended: [
          {
            entryId: '1',
            transactions: 2,
            scores: [{ count: 2, rows: `${row},${row}` }],
            scoredAtMs: Date.UTC(2026, 10, 27),
            needsOwner: false,
            retries: [],
            deadLetters: [],
          },
        ],
      },
    ]);
    const value: unknown = JSON.parse(String(record?.value));
    const validate = new Ajv2020({ strict: false }).compile(read(SCORED_VERSION));
    validate(value);
    expect(validate.errors).toBe(null);
    expect(record).toMatchObject({ partition: 3, key: 'US-EG:3', headers: { v: '1' } });
    validate({ ...(value as object), scores: [] });
    expect(validate.errors).not.toBe(null);
  });

  test('changes so that a reader of the version before reads it', () => {
    for (const version of versions.slice(1)) {
      expect(breaksOf(read(version - 1), read(version))).toEqual([]);
    }
  });

  test.each<[string, (schema: Schema) => Schema, string[]]>([
    ['a new field', (one) => edit(one, { properties: { note: { type: 'string' } } }), []],
    ['a new version', (one) => edit(one, { properties: { version: { const: 2 } } }), []],
    [
      'a field without its promise',
      (one) => ({ ...one, required: ['scores'] }),
      ['version', 'corridor', 'scored_at'].map((name) => `/${name} may be missing`),
    ],
    [
      'a field of another type',
      (one) => edit(one, { properties: { corridor: { type: 'integer' } } }),
      ['/corridor is an integer, and was a string'],
    ],
    [
      'a removed field',
      (one) =>
        ({
          ...one,
          properties: { ...one.properties, corridor: undefined },
          required: ['version', 'scored_at', 'scores'],
        }) as Schema,
      ['/corridor may be missing', '/corridor is gone'],
    ],
    [
      'another verdict',
      (one) =>
        editRow(one, 5, { ...rowOf(one, 5), enum: ['approve', 'review', 'decline', 'hold'] }),
      ['/scores//5 may be hold'],
    ],
    [
      'a wider score',
      (one) => editRow(one, 3, { ...rowOf(one, 3), maximum: 2000 }),
      ['/scores//3 has the maximum 2000, and had 1000'],
    ],
    [
      'another constant',
      (one) => edit(one, { properties: { releases_held: { const: false } } }),
      ['/releases_held is false, and was true'],
    ],
    [
      'elements that changed places',
      (one) => editRow(editRow(one, 1, rowOf(one, 2)), 2, rowOf(one, 1)),
      [
        '/scores//1 is merchant_id, and was account_id',
        '/scores//2 is account_id, and was merchant_id',
      ],
    ],
    ['an element more', (one) => editRow(one, 7, { type: 'string' }), []],
  ])('tells %s', (_, change, breaks) => {
    expect(breaksOf(read(1), change(read(1)))).toEqual(breaks);
  });
});

const edit = (schema: Schema, { properties }: { properties: Record<string, Schema> }): Schema => ({
  ...schema,
  properties: { ...schema.properties, ...properties },
});

const rowOf = (schema: Schema, at: number): Schema =>
  schema.properties?.['scores']?.items?.prefixItems?.[at] ?? {};

function editRow(schema: Schema, at: number, element: Schema): Schema {
  const scores = schema.properties?.['scores'] as Schema;
  const elements = [...(scores.items?.prefixItems ?? [])];
  elements[at] = element;
  const items = { ...scores.items, prefixItems: elements };
  return edit(schema, { properties: { scores: { ...scores, items } } });
}
