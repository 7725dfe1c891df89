import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect, test } from 'vitest';
import {
  SCORED_VERSION,
  toScoredRecords,
} from '../../../../../src/core/stream/kafka/scored-events.ts';
import { streamKeys } from '../../../../../src/core/stream/keys.ts';

const SCHEMA = `../../../../../docs/schemas/transaction.scored-${SCORED_VERSION}.json`;

test('an event in Kafka fits the schema of its version', () => {
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
  const schema = JSON.parse(readFileSync(new URL(SCHEMA, import.meta.url), 'utf8'));
  const value: unknown = JSON.parse(String(record?.value));
  const validate = new Ajv2020({ strict: false }).compile(schema);
  validate(value);
  expect(validate.errors).toBe(null);
  expect(record).toMatchObject({ partition: 3, key: 'US-EG:3', headers: { v: '1' } });
  validate({ ...(value as object), scores: [] });
  expect(validate.errors).not.toBe(null);
});
