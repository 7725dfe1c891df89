/** Goal: an example is made of what its members say, and shows no value that a schema refuses. Method: small schemas. */
import { expect, test } from 'vitest';
import { addExamples, exampleOf } from '../../../../src/kit/http/examples.ts';

const text = { type: 'string' };
const members = { account_id: 'acc_17', corridor: 'US-EG', merchant_id: 'm_9' };
const schemas = {
  Party: {
    type: 'object',
    properties: { account_id: text, note: text, merchant_id: { type: 'string', enum: ['x'] } },
    required: ['account_id', 'merchant_id'],
  },
};
const party = { $ref: '#/components/schemas/Party' };

test("a member has its schema's example, else the example of its name, else the example of its type", () => {
  const schema = {
    type: 'object',
    properties: {
      corridor: { ...text, example: 'GB-NG' },
      account_id: text,
      made_at: { ...text, format: 'date-time' },
      made_by: text,
      rows: { type: 'integer', minimum: 5 },
      share: { type: 'number', maximum: 0.1 },
      open: { type: 'boolean' },
    },
    required: ['corridor', 'account_id', 'made_at', 'made_by', 'rows', 'share', 'open'],
  };
  expect(exampleOf(schema, { schemas, members })).toEqual({
    ...{ corridor: 'GB-NG', account_id: 'acc_17', made_at: '2026-11-20T09:30:00.000Z' },
    ...{ made_by: 'Ann', rows: 5, share: 0.1, open: false },
  });
});

test('a list has one row, an object that may be null is shown, and other members that may be are null', () => {
  const nullable = (schema: object) => ({ anyOf: [schema, { type: 'null' }] });
  const schema = {
    type: 'object',
    properties: {
      items: { type: 'array', items: party },
      party: nullable(party),
      ended: nullable(text),
      corridors: { type: 'array', items: text },
    },
    required: ['items', 'party', 'ended', 'corridors'],
  };
  const shown = { account_id: 'acc_17', merchant_id: 'x' };
  expect(exampleOf(schema, { schemas, members })).toEqual({
    ...{ items: [shown], party: shown, ended: null, corridors: ['US-EG'] },
  });
});

test('a body that has an example keeps it, and what a callback is sent has none', () => {
  const body = (example?: unknown) => ({ 'application/json': { schema: party, example } });
  const part = { own: body(1), other: body(), callbacks: { sent: body() } };
  addExamples(part, { schemas, members });
  const shown = [part.own, part.other, part.callbacks.sent].map(
    (content) => content['application/json'].example,
  );
  expect(shown).toEqual([1, { account_id: 'acc_17', merchant_id: 'x' }, undefined]);
});
